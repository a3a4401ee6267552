-- File version 1. Every table STRICT. Times are UTC milliseconds since 1970, UUIDs 16 bytes.

-- What is fixed when the project is made, and the few pointers that move: one row.
CREATE TABLE project (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    uuid             BLOB    NOT NULL,
    created_ms       INTEGER NOT NULL,
    created_by       TEXT    NOT NULL,
    seed             INTEGER NOT NULL,
    audit_share      REAL    NOT NULL,
    eval_share       REAL    NOT NULL,
    active_predictor INTEGER REFERENCES predictor (id)
) STRICT;

CREATE TABLE source (
    id           INTEGER PRIMARY KEY,
    name         TEXT    NOT NULL,
    found        TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('loading', 'ready')),
    rows         INTEGER NOT NULL DEFAULT 0,
    items        INTEGER NOT NULL DEFAULT 0,
    empty        INTEGER NOT NULL DEFAULT 0,
    rejected     INTEGER NOT NULL DEFAULT 0,
    started_ms   INTEGER NOT NULL,
    finished_ms  INTEGER
) STRICT;

-- `source` is the import that first brought the text. Items of a source that is still loading are seen by nobody.
-- Not `split IN (…)`: SQLite builds that list anew for every row.
CREATE TABLE item (
    id     INTEGER PRIMARY KEY,
    key    BLOB    NOT NULL CHECK (length(key) = 32),
    text   TEXT    NOT NULL,
    split  TEXT    NOT NULL CHECK (split = 'train' OR split = 'eval' OR split = 'audit'),
    source INTEGER NOT NULL REFERENCES source (id)
) STRICT;

-- The one item of each key. Not an index of `item`, so that an import can write it apart and in the order of the keys: an index would
-- have a random page of it written for every row. Not a reference to `item`: clearing an item would search the whole table for it.
CREATE TABLE item_key (
    key  BLOB    PRIMARY KEY CHECK (length(key) = 32),
    item INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every imported row, duplicates too. `meta` are the columns shown beside the text, `fields` is the whole row, both JSON; a lone text
-- column equal to the item's text is left out of `fields`.
CREATE TABLE source_row (
    source      INTEGER NOT NULL REFERENCES source (id),
    row         INTEGER NOT NULL,
    external_id TEXT,
    gold        TEXT,
    meta        TEXT,
    fields      TEXT    NOT NULL,
    item        INTEGER NOT NULL REFERENCES item (id),
    PRIMARY KEY (source, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_row_item ON source_row (item);

CREATE TABLE task_revision (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    number     INTEGER NOT NULL UNIQUE,
    toml       TEXT    NOT NULL,
    session    INTEGER NOT NULL REFERENCES session (id),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE expert (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    name       TEXT    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
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
    ended_how  TEXT CHECK (ended_how IN ('closed', 'lost'))
) STRICT;
CREATE INDEX session_open ON session (host) WHERE ended_ms IS NULL;

CREATE TABLE model (
    id           INTEGER PRIMARY KEY,
    sha256       BLOB    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    architecture TEXT    NOT NULL,
    quantisation TEXT    NOT NULL,
    dimensions   INTEGER NOT NULL,
    bytes        INTEGER NOT NULL
) STRICT;

-- What a tuning yielded, the bytes themselves included.
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
    bytes         BLOB    NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;

-- Vectors of the base model (adapter 0) and of the active adapter only: f16, little end first, unit length.
CREATE TABLE embedding (
    model   INTEGER NOT NULL REFERENCES model (id),
    adapter INTEGER NOT NULL DEFAULT 0,
    item    INTEGER NOT NULL REFERENCES item (id),
    vector  BLOB    NOT NULL,
    PRIMARY KEY (model, adapter, item)
) STRICT, WITHOUT ROWID;

-- A way of making predictions. `kind` zero-shot has no adapter; `labels` are the stable label keys in the order of `probabilities`.
CREATE TABLE predictor (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL CHECK (kind IN ('zero-shot', 'head', 'lora', 'alora', 'judge', 'combined')),
    model      INTEGER NOT NULL REFERENCES model (id),
    adapter    INTEGER REFERENCES adapter (id),
    revision   INTEGER NOT NULL REFERENCES task_revision (id),
    prompt     BLOB,
    labels     TEXT    NOT NULL,
    settings   TEXT    NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

-- f32, little end first, one per label of the predictor; cross-fitted: no item's own audit answer has a part in its row. Of predictors that
-- are no longer active, items with answers, eval and audit cases are kept.
CREATE TABLE prediction (
    predictor     INTEGER NOT NULL REFERENCES predictor (id),
    item          INTEGER NOT NULL REFERENCES item (id),
    probabilities BLOB    NOT NULL,
    PRIMARY KEY (predictor, item)
) STRICT, WITHOUT ROWID;

-- Round 0, without a predictor: audit cases drawn evenly, to be labelled while the first texts are scouted.
CREATE TABLE round (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    number     INTEGER NOT NULL UNIQUE,
    strategy   TEXT    NOT NULL,
    budget     INTEGER NOT NULL,
    seed       INTEGER NOT NULL,
    predictor  INTEGER REFERENCES predictor (id) CHECK ((predictor IS NULL) = (number = 0)),
    note       TEXT,
    created_ms INTEGER NOT NULL,
    closed_ms  INTEGER
) STRICT;

CREATE TABLE label_case (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    round      INTEGER NOT NULL REFERENCES round (id),
    position   INTEGER NOT NULL,
    item       INTEGER NOT NULL REFERENCES item (id),
    split      TEXT    NOT NULL CHECK (split IN ('train', 'eval', 'audit')),
    reason     TEXT    NOT NULL,
    partner    INTEGER REFERENCES item (id),
    similarity REAL,
    margin     REAL    NOT NULL,
    inclusion  REAL,
    overlap    INTEGER NOT NULL DEFAULT 1,
    withdrawn_ms INTEGER,
    UNIQUE (round, position)
) STRICT;
CREATE INDEX label_case_item ON label_case (item);

-- Who has which case on the screen, and until when. Its rows come and go, as those of `run` and `draft` do.
CREATE TABLE lease (
    label_case INTEGER NOT NULL REFERENCES label_case (id),
    expert     INTEGER NOT NULL REFERENCES expert (id),
    session    INTEGER NOT NULL REFERENCES session (id),
    shown_ms   INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (label_case, expert)
) STRICT, WITHOUT ROWID;

-- To whom the model's view of an item has been shown, and when first: an answer after that is no blind one.
CREATE TABLE reveal (
    expert INTEGER NOT NULL REFERENCES expert (id),
    item   INTEGER NOT NULL REFERENCES item (id),
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (expert, item)
) STRICT, WITHOUT ROWID;

-- Notes that were begun and not saved yet: they outlive a hang-up.
CREATE TABLE draft (
    expert INTEGER NOT NULL REFERENCES expert (id),
    item   INTEGER NOT NULL REFERENCES item (id),
    text   TEXT    NOT NULL,
    PRIMARY KEY (expert, item)
) STRICT, WITHOUT ROWID;

-- The log. Append-only: the triggers below refuse everything else. Order is (lamport, uuid), never time.
CREATE TABLE label_event (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    lamport       INTEGER NOT NULL CHECK (lamport > 0),
    session       INTEGER NOT NULL REFERENCES session (id),
    seq           INTEGER NOT NULL CHECK (seq > 0),
    expert        INTEGER NOT NULL REFERENCES expert (id),
    item          INTEGER NOT NULL REFERENCES item (id),
    label_case    INTEGER REFERENCES label_case (id),
    action        TEXT    NOT NULL CHECK (action IN
                      ('set', 'retract', 'restore', 'skip', 'flag', 'unflag', 'note', 'adjudicate')),
    target        BLOB    CHECK (target IS NULL OR length(target) = 16),
    label         TEXT    CHECK ((action IN ('set', 'adjudicate')) = (label IS NOT NULL)),
    confidence    INTEGER CHECK (confidence BETWEEN 1 AND 3),
    note          TEXT,
    revision      INTEGER NOT NULL REFERENCES task_revision (id),
    seen_prelabel TEXT,
    revealed      INTEGER NOT NULL CHECK (revealed IN (0, 1)),
    duration_ms   INTEGER,
    at_ms         INTEGER NOT NULL,
    UNIQUE (session, seq)
) STRICT;
CREATE INDEX label_event_lamport ON label_event (lamport);
CREATE INDEX label_event_item ON label_event (item, expert);
CREATE INDEX label_event_case ON label_event (label_case) WHERE label_case IS NOT NULL;
CREATE INDEX label_event_target ON label_event (target) WHERE target IS NOT NULL;

CREATE TRIGGER label_event_is_never_updated BEFORE UPDATE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER label_event_is_never_deleted BEFORE DELETE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER label_event_is_never_replaced BEFORE INSERT ON label_event
WHEN EXISTS (SELECT 1 FROM label_event e WHERE e.id = NEW.id OR e.uuid = NEW.uuid
                OR (e.session = NEW.session AND e.seq = NEW.seq))
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER task_revision_is_never_replaced BEFORE INSERT ON task_revision
WHEN EXISTS (SELECT 1 FROM task_revision r WHERE r.id = NEW.id OR r.uuid = NEW.uuid OR r.number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;
CREATE TRIGGER task_revision_is_never_updated BEFORE UPDATE ON task_revision
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;
CREATE TRIGGER task_revision_is_never_deleted BEFORE DELETE ON task_revision
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;

-- Events that stand: not the target of a retraction that is later than every restoration of it.
CREATE VIEW standing_event AS
SELECT e.* FROM label_event e
WHERE e.action NOT IN ('retract', 'restore')
  AND 'retract' IS NOT (
      SELECT t.action FROM label_event t
      WHERE t.target = e.uuid AND t.action IN ('retract', 'restore')
      ORDER BY t.lamport DESC, t.uuid DESC LIMIT 1);

-- One row per expert and item: the last standing answer, a label or a skip (label null).
CREATE VIEW current_answer AS
SELECT e.* FROM standing_event e
WHERE e.action IN ('set', 'skip')
  AND NOT EXISTS (
      SELECT 1 FROM standing_event later
      WHERE later.item = e.item AND later.expert = e.expert AND later.action IN ('set', 'skip')
        AND (later.lamport, later.uuid) > (e.lamport, e.uuid));

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
    message      TEXT
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
    CHECK ((value IS NULL) = (undefined IS NOT NULL))
) STRICT;
