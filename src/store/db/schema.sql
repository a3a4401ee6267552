-- File version 1. Every table is STRICT. Times are UTC milliseconds since 1970, UUIDs are 16 bytes.
-- A change here changes `SCHEMA` in `version.rs`, and its test says to what.

-- What the write-ahead log next to the file is told by: the first commit of each log puts a new mark here and keeps the one before. First of all
-- tables, so that it is the second page of the file and can be read without SQLite (`log_mark.rs`).
CREATE TABLE log_mark (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    mark   BLOB NOT NULL CHECK (length(mark) = 16),
    before BLOB NOT NULL CHECK (length(before) = 16)
) STRICT;
INSERT INTO log_mark VALUES (1, zeroblob(16), zeroblob(16));

-- Where each table and index begins. SQLite's own list has no checksum, and a page within a table can be read as a smaller table.
CREATE TABLE root_page (
    name TEXT    PRIMARY KEY,
    page INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `seal`, in this table and others: a checksum of the whole row as it was written, which SQLite keeps by itself (`row_seals.rs`).
-- What is fixed when the project is made, and the few values that move: one row.
-- `lamport_heard` is the largest Lamport number of a project that this file was given a part of: what is answered here comes after all of that.
CREATE TABLE project (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    uuid             BLOB    NOT NULL,
    created_ms       INTEGER NOT NULL,
    created_by       TEXT    NOT NULL,
    seed             INTEGER NOT NULL,
    audit_share      REAL    NOT NULL,
    eval_share       REAL    NOT NULL,
    active_predictor INTEGER REFERENCES predictor (id),
    lamport_heard    INTEGER NOT NULL DEFAULT 0,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, created_ms, created_by,
        seed, audit_share, eval_share, active_predictor, lamport_heard)) STORED
) STRICT;

CREATE TABLE source (
    id           INTEGER PRIMARY KEY,
    uuid         BLOB    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    found        TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('loading', 'ready', 'forgotten')),
    rows         INTEGER NOT NULL DEFAULT 0,
    items        INTEGER NOT NULL DEFAULT 0,
    empty        INTEGER NOT NULL DEFAULT 0,
    rejected     INTEGER NOT NULL DEFAULT 0,
    started_ms   INTEGER NOT NULL,
    finished_ms  INTEGER,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, name, found, state, rows, items, empty, rejected, started_ms, finished_ms)) STORED
) STRICT;

-- `source` is the import that first brought the text. Items of a source that is still loading are seen by nobody. Those that were removed have the
-- one source in state 'forgotten' and no text.
-- Not `split IN (…)`: SQLite builds that list again for every row.
CREATE TABLE item (
    id     INTEGER PRIMARY KEY,
    key    BLOB    NOT NULL CHECK (length(key) = 32),
    text   TEXT    NOT NULL,
    split  TEXT    NOT NULL CHECK (split = 'train' OR split = 'eval' OR split = 'audit'),
    source INTEGER NOT NULL REFERENCES source (id),
    seal INTEGER GENERATED ALWAYS AS (check_of(id, key, text, split, source)) STORED
) STRICT;

-- The one item of each key. A table of its own and not an index of `item`, so that an import can write it separately and in the order of the
-- keys: an index would write a random page for every row. Not a reference to `item`: deleting an item would search the whole table for it.
CREATE TABLE item_key (
    key  BLOB    PRIMARY KEY CHECK (length(key) = 32),
    item INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Texts that were removed on demand: the item stays with its key and its events, so that no import and no merge brings the text back. `wiped` is 0
-- until the file was written anew after that, so that its free pages do not hold the text either.
CREATE TABLE forgotten (
    item  INTEGER PRIMARY KEY REFERENCES item (id),
    at_ms INTEGER NOT NULL,
    wiped INTEGER NOT NULL CHECK (wiped IN (0, 1)),
    seal INTEGER GENERATED ALWAYS AS (check_of(item, at_ms, wiped)) STORED
) STRICT;

-- Every imported row, duplicates too. `meta` holds the columns shown next to the text, `fields` the whole row, both as JSON; a single text
-- column equal to the item's text is left out of `fields`.
CREATE TABLE source_row (
    source      INTEGER NOT NULL REFERENCES source (id),
    row         INTEGER NOT NULL,
    external_id TEXT,
    gold        TEXT,
    meta        TEXT,
    fields      TEXT    NOT NULL,
    item        INTEGER NOT NULL REFERENCES item (id),
    seal INTEGER GENERATED ALWAYS AS (check_of(source, row, external_id, gold, meta, fields, item)) STORED,
    PRIMARY KEY (source, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_row_item ON source_row (item);

-- Labels that existed before: of a person, a team, a crowd who never answered here. They are no label events, so that no figure, round or vote can
-- count them; `log/imported_labels.rs` alone reads them, for training. `weight` is what one of them counts where an expert's label counts 1; of two
-- copies the one with more `changes` says it. One name is one source.
CREATE TABLE label_source (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name       TEXT    NOT NULL UNIQUE,
    weight     REAL    NOT NULL CHECK (weight BETWEEN 0 AND 1),
    changes    INTEGER NOT NULL CHECK (changes >= 0),
    created_ms INTEGER NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, name, weight, changes, created_ms)) STORED
) STRICT;

-- `file` is a hash of the data file's name and `place` counts the item's labels in it, so that a file that comes again is known. `import` is the
-- one that brought the label: until it is ready nobody sees it.
CREATE TABLE imported_label (
    label_source INTEGER NOT NULL REFERENCES label_source (id),
    item         INTEGER NOT NULL REFERENCES item (id),
    file         INTEGER NOT NULL,
    place        INTEGER NOT NULL CHECK (place >= 0),
    answer       TEXT    NOT NULL CHECK (json_valid(answer)),
    at_ms        INTEGER NOT NULL,
    import       INTEGER REFERENCES source (id),
    seal INTEGER GENERATED ALWAYS AS (check_of(label_source, item, file, place, answer, at_ms, import)) STORED,
    PRIMARY KEY (label_source, item, file, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX imported_label_item ON imported_label (item);

-- Which revision is current is the same in every copy that has the same revisions: the one with the largest (generation, uuid). Two of one
-- generation were written in two copies. `number` is local to a file.
CREATE TABLE task_revision (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    number     INTEGER NOT NULL UNIQUE,
    generation INTEGER NOT NULL,
    toml       TEXT    NOT NULL,
    session    INTEGER NOT NULL REFERENCES session (id),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE expert (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    name       TEXT    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, name, created_ms)) STORED
) STRICT;

-- `process` tells one process from all others of its host and boot, so that an unclean end is recognised.
CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    expert     INTEGER NOT NULL REFERENCES expert (id),
    login      TEXT    NOT NULL,
    uid        INTEGER NOT NULL,
    host       TEXT    NOT NULL,
    process    TEXT    NOT NULL,
    program    TEXT    NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    ended_how  TEXT CHECK (ended_how IN ('closed', 'lost')),
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, expert, login, uid, host, process, program, started_ms, ended_ms, ended_how)) STORED
) STRICT;
CREATE INDEX session_open ON session (host) WHERE ended_ms IS NULL;
-- For whether a person was active lately, and for a name's first session.
CREATE INDEX session_expert ON session (expert, started_ms);

-- `sha256` is that of the file, or of the file and `reading` where that says something; `reading` is JSON: pooling and prefix of an encoder.
CREATE TABLE model (
    id           INTEGER PRIMARY KEY,
    sha256       BLOB    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    architecture TEXT    NOT NULL,
    quantisation TEXT    NOT NULL,
    dimensions   INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    reading      TEXT    NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, sha256, name, path, architecture, quantisation, dimensions, bytes, reading)) STORED
) STRICT;

-- The result of a training. Its bytes come last and have a seal of their own, so that the rest is read and checked without them.
CREATE TABLE adapter (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB    NOT NULL UNIQUE,
    kind          TEXT    NOT NULL CHECK (kind IN ('head', 'lora', 'alora')),
    model         INTEGER NOT NULL REFERENCES model (id),
    parent        INTEGER REFERENCES adapter (id),
    round         INTEGER REFERENCES round (id),
    revision      INTEGER NOT NULL REFERENCES task_revision (id),
    labels        TEXT    NOT NULL,
    settings      TEXT    NOT NULL,
    training_hash BLOB    NOT NULL,
    training_n    INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, kind, model, parent, round,
        revision, labels, settings, training_hash, training_n, created_ms)) STORED,
    bytes         BLOB    NOT NULL,
    bytes_seal INTEGER GENERATED ALWAYS AS (check_of(id, bytes)) STORED
) STRICT;

-- Adapters whose bytes a part of a project was not given.
CREATE TABLE left_out (
    adapter INTEGER PRIMARY KEY REFERENCES adapter (id),
    bytes   INTEGER NOT NULL,
    sha256  BLOB    NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(adapter, bytes, sha256)) STORED
) STRICT;

-- What a language model without an adapter makes of a text inside, behind the prompt of that judge: f16, little-endian, depth after depth.
CREATE TABLE hidden_state (
    judge  INTEGER NOT NULL REFERENCES predictor (id),
    item   INTEGER NOT NULL REFERENCES item (id),
    states BLOB    NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(judge, item, states)) STORED,
    PRIMARY KEY (judge, item)
) STRICT, WITHOUT ROWID;

-- Vectors of the base model (adapter 0) and of the active adapter only: f16, little-endian, unit length.
CREATE TABLE embedding (
    model   INTEGER NOT NULL REFERENCES model (id),
    adapter INTEGER NOT NULL DEFAULT 0,
    item    INTEGER NOT NULL REFERENCES item (id),
    vector  BLOB    NOT NULL,
    -- About how many bytes of the text the model read, where it did not read all of it.
    cut_at  INTEGER CHECK (cut_at >= 0),
    seal INTEGER GENERATED ALWAYS AS (check_of(model, adapter, item, vector, cut_at)) STORED,
    PRIMARY KEY (model, adapter, item)
) STRICT, WITHOUT ROWID;

-- A way of making predictions. A zero-shot one has no adapter; `labels` are the stable label keys in the order of `probabilities`.
CREATE TABLE predictor (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL CHECK (kind IN ('zero-shot', 'head', 'lora', 'judge', 'states', 'combined')),
    model      INTEGER NOT NULL REFERENCES model (id),
    adapter    INTEGER REFERENCES adapter (id),
    revision   INTEGER NOT NULL REFERENCES task_revision (id),
    prompt     BLOB,
    labels     TEXT    NOT NULL,
    settings   TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, kind, model, adapter, revision, prompt, labels, settings, created_ms)) STORED
) STRICT;

-- f32, little-endian, one per label of the predictor; cross-fitted: no item's own audit answer has a part in its row. Of predictors that are
-- no longer active, items with answers, eval and audit cases are kept.
CREATE TABLE prediction (
    predictor     INTEGER NOT NULL REFERENCES predictor (id),
    item          INTEGER NOT NULL REFERENCES item (id),
    probabilities BLOB    NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(predictor, item, probabilities)) STORED,
    PRIMARY KEY (predictor, item)
) STRICT, WITHOUT ROWID;

-- Round 0, without a predictor: audit cases drawn evenly, to be labelled while the first texts are scouted. `overlap` is how many experts each
-- kind of case is to be seen by, as JSON; none where there was no choice.
CREATE TABLE round (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    number     INTEGER NOT NULL UNIQUE,
    strategy   TEXT    NOT NULL,
    budget     INTEGER NOT NULL,
    seed       INTEGER NOT NULL,
    predictor  INTEGER REFERENCES predictor (id) CHECK ((predictor IS NULL) = (number = 0)),
    note       TEXT,
    overlap    TEXT,
    created_ms INTEGER NOT NULL,
    closed_ms  INTEGER,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, number, strategy, budget, seed, predictor, note, overlap, created_ms, closed_ms)) STORED
) STRICT;

-- A case with the reason 'repeat' comes back blind to the one expert who answered its item before. It is a repeat, whose answers say how
-- consistent the expert is and nothing of the item; or, where `reannotation` names a revision of the task, it was sent for re-annotation under
-- that revision, and its answers speak of the item. `expert` is none of a place kept for a repeat that was not handed out yet: its item then
-- means nothing. `side` is that of the decision boundary on which a coin chose `partner`, the similar text that is shown. `revealed_ms` is when the model's view was shown in such a case; `reveal` speaks of the item, which the expert saw before.
CREATE TABLE label_case (
    id           INTEGER PRIMARY KEY,
    uuid         BLOB    NOT NULL UNIQUE,
    round        INTEGER NOT NULL REFERENCES round (id),
    position     INTEGER NOT NULL,
    item         INTEGER NOT NULL REFERENCES item (id),
    split        TEXT    NOT NULL CHECK (split IN ('train', 'eval', 'audit')),
    reason       TEXT    NOT NULL,
    partner      INTEGER REFERENCES item (id),
    similarity   REAL,
    side         TEXT    CHECK (side = 'same' OR side = 'across'),
    margin       REAL    NOT NULL,
    inclusion    REAL,
    overlap      INTEGER NOT NULL DEFAULT 1,
    withdrawn_ms INTEGER,
    expert       INTEGER REFERENCES expert (id),
    revealed_ms  INTEGER,
    reannotation INTEGER REFERENCES task_revision (id),
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, round, position, item, split, reason, partner,
        similarity, side, margin, inclusion, overlap, withdrawn_ms, expert, revealed_ms, reannotation)) STORED,
    UNIQUE (round, position)
) STRICT;
CREATE INDEX label_case_item ON label_case (item);
CREATE UNIQUE INDEX label_case_repeat ON label_case (expert, item) WHERE expert IS NOT NULL AND reannotation IS NULL;
CREATE UNIQUE INDEX label_case_reannotation ON label_case (expert, item, reannotation) WHERE reannotation IS NOT NULL AND withdrawn_ms IS NULL;

-- Who has which case on the screen, and until when. Its rows come and go, as those of `run` and `draft` do.
CREATE TABLE lease (
    label_case INTEGER NOT NULL REFERENCES label_case (id),
    expert     INTEGER NOT NULL REFERENCES expert (id),
    session    INTEGER NOT NULL REFERENCES session (id),
    shown_ms   INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(label_case, expert, session, shown_ms, expires_ms)) STORED,
    PRIMARY KEY (label_case, expert)
) STRICT, WITHOUT ROWID;

-- To whom the model's view of an item has been shown, and when first: an answer after that is not blind.
CREATE TABLE reveal (
    expert INTEGER NOT NULL REFERENCES expert (id),
    item   INTEGER NOT NULL REFERENCES item (id),
    at_ms  INTEGER NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(expert, item, at_ms)) STORED,
    PRIMARY KEY (expert, item)
) STRICT, WITHOUT ROWID;

-- Notes that were begun and not saved yet: they survive a hang-up.
CREATE TABLE draft (
    expert INTEGER NOT NULL REFERENCES expert (id),
    item   INTEGER NOT NULL REFERENCES item (id),
    text   TEXT    NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(expert, item, text)) STORED,
    PRIMARY KEY (expert, item)
) STRICT, WITHOUT ROWID;

-- The log. Append-only: the triggers below refuse everything else. Order is (lamport, uuid), never time. `answer` is the list of labels that
-- the event gives, and `seen_prelabel` what the model said where the expert could see it: JSON arrays of stable label keys.
CREATE TABLE label_event (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    lamport       INTEGER NOT NULL CHECK (lamport > 0 AND lamport < 9007199254740992),
    session       INTEGER NOT NULL REFERENCES session (id),
    seq           INTEGER NOT NULL CHECK (seq > 0),
    expert        INTEGER NOT NULL REFERENCES expert (id),
    item          INTEGER NOT NULL REFERENCES item (id),
    label_case    INTEGER REFERENCES label_case (id),
    action        TEXT    NOT NULL CHECK (action IN
                      ('set', 'retract', 'restore', 'skip', 'flag', 'unflag', 'note', 'adjudicate')),
    target        BLOB    CHECK (target IS NULL OR length(target) = 16),
    answer        TEXT    CHECK ((action IN ('set', 'adjudicate')) = (answer IS NOT NULL)),
    confidence    INTEGER CHECK (confidence BETWEEN 1 AND 3),
    note          TEXT,
    revision      INTEGER NOT NULL REFERENCES task_revision (id),
    seen_prelabel TEXT,
    revealed      INTEGER NOT NULL CHECK (revealed IN (0, 1)),
    duration_ms   INTEGER,
    at_ms         INTEGER NOT NULL,
    UNIQUE (session, seq),
    CHECK (json_valid(answer) AND json_valid(seen_prelabel))
) STRICT;
CREATE INDEX label_event_lamport ON label_event (lamport);
CREATE INDEX label_event_item ON label_event (item, expert);
CREATE INDEX label_event_case ON label_event (label_case) WHERE label_case IS NOT NULL;
CREATE INDEX label_event_target ON label_event (target) WHERE target IS NOT NULL;

-- Who leads, and which names are one person. Append-only like the log of labels, and in one order with it.
CREATE TABLE expert_event (
    id      INTEGER PRIMARY KEY,
    uuid    BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    lamport INTEGER NOT NULL CHECK (lamport > 0 AND lamport < 9007199254740992),
    session INTEGER NOT NULL REFERENCES session (id),
    action  TEXT    NOT NULL CHECK (action IN ('lead', 'expert', 'same', 'apart')),
    expert  INTEGER NOT NULL REFERENCES expert (id),
    other   INTEGER REFERENCES expert (id) CHECK ((action IN ('same', 'apart')) = (other IS NOT NULL)),
    at_ms   INTEGER NOT NULL
) STRICT;

-- For each row that a label rests on (a label event, an expert event, a revision of the task, an expert, a session) a hash of what was written
-- and never changes, so that a byte that a disk changed is noticed where SQLite reads it as valid. Against accident only: anyone who can write
-- the file can write seals, too. `of` is the table.
CREATE TABLE seal (
    of   TEXT    NOT NULL,
    row  INTEGER NOT NULL,
    hash BLOB    NOT NULL CHECK (length(hash) = 16),
    PRIMARY KEY (of, row)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER label_event_is_never_updated BEFORE UPDATE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER label_event_is_never_deleted BEFORE DELETE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER label_event_is_never_replaced BEFORE INSERT ON label_event
WHEN EXISTS (SELECT 1 FROM label_event e WHERE e.id = NEW.id OR e.uuid = NEW.uuid
                OR (e.session = NEW.session AND e.seq = NEW.seq))
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER expert_event_is_never_updated BEFORE UPDATE ON expert_event
BEGIN SELECT RAISE(ABORT, 'expert events are append-only'); END;
CREATE TRIGGER expert_event_is_never_deleted BEFORE DELETE ON expert_event
BEGIN SELECT RAISE(ABORT, 'expert events are append-only'); END;
CREATE TRIGGER expert_event_is_never_replaced BEFORE INSERT ON expert_event
WHEN EXISTS (SELECT 1 FROM expert_event e WHERE e.id = NEW.id OR e.uuid = NEW.uuid)
BEGIN SELECT RAISE(ABORT, 'expert events are append-only'); END;
CREATE TRIGGER task_revision_is_never_updated BEFORE UPDATE ON task_revision
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;
CREATE TRIGGER task_revision_is_never_deleted BEFORE DELETE ON task_revision
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;
CREATE TRIGGER task_revision_is_never_replaced BEFORE INSERT ON task_revision
WHEN EXISTS (SELECT 1 FROM task_revision r WHERE r.id = NEW.id OR r.uuid = NEW.uuid OR r.number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;

-- The number of the next event, in either log.
CREATE VIEW next_lamport (lamport) AS
SELECT 1 + max(coalesce((SELECT max(lamport) FROM label_event), 0), coalesce((SELECT max(lamport) FROM expert_event), 0),
               (SELECT lamport_heard FROM project));

-- Events that are not taken back: not the target of a retraction that is later than every restoration of it. Those of a text that was removed stay
-- in the log and count nowhere.
CREATE VIEW upheld_event AS
SELECT e.* FROM label_event e
WHERE e.action NOT IN ('retract', 'restore')
  AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.item = e.item)
  AND 'retract' IS NOT (
      SELECT t.action FROM label_event t
      WHERE t.target = e.uuid AND t.action IN ('retract', 'restore')
      ORDER BY t.lamport DESC, t.uuid DESC LIMIT 1);

-- Of these, all that speak of the item: an answer to a repeat speaks of the expert.
CREATE VIEW standing_event AS
SELECT e.* FROM upheld_event e
WHERE NOT (e.action IN ('set', 'skip') AND e.label_case IS NOT NULL
           AND EXISTS (SELECT 1 FROM label_case c WHERE c.id = e.label_case AND c.reason = 'repeat' AND c.reannotation IS NULL));

-- One row per person and item: the last standing answer under any of the person's names, an answer or a skip (answer null). `expert` is the
-- name under which it was given.
CREATE VIEW current_answer AS
SELECT e.*, p.person FROM standing_event e CROSS JOIN person p ON p.expert = e.expert
WHERE e.action IN ('set', 'skip')
  AND NOT EXISTS (
      SELECT 1 FROM standing_event later CROSS JOIN person q ON q.expert = later.expert
      WHERE later.item = e.item AND q.person = p.person AND later.action IN ('set', 'skip')
        AND (later.lamport, later.uuid) > (e.lamport, e.uuid));

-- The same of repeats and re-annotations: one row for each that has an answer.
CREATE VIEW repeat_answer AS
SELECT e.* FROM label_case c JOIN upheld_event e ON e.label_case = c.id
WHERE c.reason = 'repeat' AND e.action IN ('set', 'skip')
  AND NOT EXISTS (
      SELECT 1 FROM upheld_event later
      WHERE later.label_case = c.id AND later.action IN ('set', 'skip')
        AND (later.lamport, later.uuid) > (e.lamport, e.uuid));

-- Each name with the person who bears it: that person's name that was enrolled first. Two names are one person where the last event on the two
-- says so, or where names between them do.
CREATE VIEW person_by_log (expert, person) AS
WITH RECURSIVE
  said (one, other, action, lamport, uuid) AS (
      SELECT min(expert, other), max(expert, other), action, lamport, uuid
      FROM expert_event WHERE action IN ('same', 'apart')),
  tie (one, other) AS (
      SELECT s.one, s.other FROM said s
      WHERE s.action = 'same' AND NOT EXISTS (
          SELECT 1 FROM said l WHERE l.one = s.one AND l.other = s.other AND (l.lamport, l.uuid) > (s.lamport, s.uuid))),
  reach (expert, other) AS (
      SELECT id, id FROM expert
      UNION SELECT r.expert, t.other FROM reach r JOIN tie t ON t.one = r.other
      UNION SELECT r.expert, t.one FROM reach r JOIN tie t ON t.other = r.other)
SELECT expert, other FROM (
    SELECT r.expert, r.other, row_number() OVER (PARTITION BY r.expert ORDER BY x.created_ms, x.uuid) AS place
    FROM reach r JOIN expert x ON x.id = r.other)
WHERE place = 1;

-- The same as a table: every reader of answers asks for it, and the log changes once in a year. The triggers keep it.
CREATE TABLE person (
    expert INTEGER PRIMARY KEY REFERENCES expert (id),
    person INTEGER NOT NULL REFERENCES expert (id)
) STRICT;
CREATE TRIGGER an_expert_is_a_person AFTER INSERT ON expert
BEGIN INSERT INTO person VALUES (NEW.id, NEW.id); END;
CREATE TRIGGER persons_follow_their_log AFTER INSERT ON expert_event WHEN NEW.action IN ('same', 'apart')
BEGIN
    DELETE FROM person;
    INSERT INTO person SELECT expert, person FROM person_by_log;
END;

-- The persons who lead: those of whose names the last event says so. The first name of the file, which is enrolled when the project is made and
-- has the smallest number in every copy, whatever clocks say, leads as long as no event speaks of it; and it does where nobody else would.
CREATE VIEW lead (person) AS
WITH
  said (expert, action) AS (
      SELECT s.expert, s.action FROM expert_event s
      WHERE s.action IN ('lead', 'expert') AND NOT EXISTS (
          SELECT 1 FROM expert_event l WHERE l.expert = s.expert AND l.action IN ('lead', 'expert')
            AND (l.lamport, l.uuid) > (s.lamport, s.uuid))),
  enrolled_first (expert) AS (SELECT min(id) FROM expert),
  leads (expert) AS (
      SELECT expert FROM said WHERE action = 'lead'
      UNION SELECT expert FROM enrolled_first WHERE expert NOT IN (SELECT expert FROM said))
SELECT DISTINCT p.person FROM person p
WHERE p.expert IN (SELECT expert FROM leads)
   OR (NOT EXISTS (SELECT 1 FROM leads) AND p.expert IN (SELECT expert FROM enrolled_first));

-- Sessions under a name that is not tied to their login: each of a person's names ties the login of its first session, on whatever host.
CREATE VIEW untied_session (session) AS
WITH tied (person, login, uid) AS (
    SELECT p.person, s.login, s.uid FROM person p CROSS JOIN session s
    WHERE s.id = (SELECT f.id FROM session f WHERE f.expert = p.expert ORDER BY f.started_ms, f.uuid LIMIT 1))
SELECT s.id FROM session s JOIN person p ON p.expert = s.expert
WHERE NOT EXISTS (SELECT 1 FROM tied t WHERE t.person = p.person AND t.login = s.login AND t.uid = s.uid);

-- Every job with its outcome. A row without an end whose process is gone was interrupted.
CREATE TABLE run (
    id           INTEGER PRIMARY KEY,
    uuid         BLOB    NOT NULL UNIQUE,
    kind         TEXT    NOT NULL,
    arguments    TEXT    NOT NULL,
    host         TEXT    NOT NULL,
    process      TEXT    NOT NULL,
    program      TEXT    NOT NULL,
    started_ms   INTEGER NOT NULL,
    heartbeat_ms INTEGER NOT NULL,
    progress     TEXT,
    ended_ms     INTEGER,
    outcome      TEXT CHECK (outcome IN ('done', 'failed', 'stopped', 'lost')),
    message      TEXT,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, uuid, kind, arguments, host, process,
        program, started_ms, heartbeat_ms, progress, ended_ms, outcome, message)) STORED
) STRICT;
CREATE UNIQUE INDEX run_one_of_a_kind ON run (kind) WHERE ended_ms IS NULL;

-- Figures as they were reported, each with its n and interval or the reason why it is not defined.
CREATE TABLE metric (
    id         INTEGER PRIMARY KEY,
    round      INTEGER REFERENCES round (id),
    predictor  INTEGER REFERENCES predictor (id),
    name       TEXT    NOT NULL,
    value      REAL,
    lo         REAL,
    hi         REAL,
    n          INTEGER,
    undefined  TEXT,
    created_ms INTEGER NOT NULL,
    seal INTEGER GENERATED ALWAYS AS (check_of(id, round, predictor, name, value, lo, hi, n, undefined, created_ms)) STORED,
    CHECK ((value IS NULL) = (undefined IS NOT NULL))
) STRICT;
