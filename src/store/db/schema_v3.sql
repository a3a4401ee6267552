-- File version 3: several experts at one project, and copies that come together again.

-- Who leads, and which names are one person. The log of this is append-only, like that of labels, and shares its count of Lamport numbers.
CREATE TABLE expert_event (
    id      INTEGER PRIMARY KEY,
    uuid    BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    lamport INTEGER NOT NULL CHECK (lamport > 0),
    session INTEGER NOT NULL REFERENCES session (id),
    action  TEXT    NOT NULL CHECK (action IN ('lead', 'expert', 'same', 'apart')),
    expert  INTEGER NOT NULL REFERENCES expert (id),
    other   INTEGER REFERENCES expert (id) CHECK ((action IN ('same', 'apart')) = (other IS NOT NULL)),
    at_ms   INTEGER NOT NULL
) STRICT;
CREATE TRIGGER expert_event_is_never_updated BEFORE UPDATE ON expert_event
BEGIN SELECT RAISE(ABORT, 'expert events are append-only'); END;
CREATE TRIGGER expert_event_is_never_deleted BEFORE DELETE ON expert_event
BEGIN SELECT RAISE(ABORT, 'expert events are append-only'); END;
CREATE TRIGGER expert_event_is_never_replaced BEFORE INSERT ON expert_event
WHEN EXISTS (SELECT 1 FROM expert_event e WHERE e.id = NEW.id OR e.uuid = NEW.uuid)
BEGIN SELECT RAISE(ABORT, 'expert events are append-only'); END;

-- Which revision stands is the same in every copy that has the same revisions: the one with the largest (generation, uuid). Two of one
-- generation were written in two copies. `number` is local to a file.
DROP TRIGGER task_revision_is_never_updated;
ALTER TABLE task_revision ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
UPDATE task_revision SET generation = number;
CREATE TRIGGER task_revision_is_never_updated BEFORE UPDATE ON task_revision
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;

-- Imports meet in a merge, too. Copies that parted before this have the same numbers and times for what they share.
ALTER TABLE source ADD COLUMN uuid BLOB;
UPDATE source SET uuid = unhex(printf('%016x%016x', started_ms, id));
CREATE UNIQUE INDEX source_uuid ON source (uuid);

-- A repeat is known by whose and of which text it is: the same in every copy. A place kept for one is known by its round and position.
UPDATE label_case SET uuid = (SELECT unhex(substr(hex(i.key), 1, 16) || substr(hex(e.uuid), 17, 16)) FROM item i, expert e
                              WHERE i.id = label_case.item AND e.id = label_case.expert)
WHERE expert IS NOT NULL;

-- The largest Lamport number of a project that this file was given a part of: what is answered here is later than all of that.
ALTER TABLE project ADD COLUMN lamport_heard INTEGER NOT NULL DEFAULT 0;
CREATE VIEW next_lamport (lamport) AS
SELECT 1 + max(coalesce((SELECT max(lamport) FROM label_event), 0), coalesce((SELECT max(lamport) FROM expert_event), 0),
               (SELECT lamport_heard FROM project));

-- Adapters whose bytes a part of a project was not given.
CREATE TABLE left_out (
    adapter INTEGER PRIMARY KEY REFERENCES adapter (id),
    bytes   INTEGER NOT NULL,
    sha256  BLOB    NOT NULL
) STRICT;

-- For whether a person was there of late, and for a name's first session.
CREATE INDEX session_expert ON session (expert, started_ms);

-- How many experts each kind of case was to be seen by, as JSON; none of rounds from before there was a choice.
ALTER TABLE round ADD COLUMN overlap TEXT;

-- Each name with the person who bears it: the name among that person's that was enrolled first. Two names are one person where the last
-- word on the two says so, or where names between them do.
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

-- The same as a table: every reader of answers asks for it, and the log says something new once in a year. Whoever writes the log writes it.
CREATE TABLE person (
    expert INTEGER PRIMARY KEY REFERENCES expert (id),
    person INTEGER NOT NULL REFERENCES expert (id)
) STRICT;
INSERT INTO person SELECT expert, person FROM person_by_log;
CREATE TRIGGER an_expert_is_a_person AFTER INSERT ON expert
BEGIN INSERT INTO person VALUES (NEW.id, NEW.id); END;
CREATE TRIGGER persons_follow_their_log AFTER INSERT ON expert_event WHEN NEW.action IN ('same', 'apart')
BEGIN
    DELETE FROM person;
    INSERT INTO person SELECT expert, person FROM person_by_log;
END;

-- The persons who lead: one of whose names was last said to. Of whom nothing was said, the name enrolled first in the project leads; and
-- it does where, as two copies may have it once they are one, nobody else would.
CREATE VIEW lead (person) AS
WITH
  said (expert, action) AS (
      SELECT s.expert, s.action FROM expert_event s
      WHERE s.action IN ('lead', 'expert') AND NOT EXISTS (
          SELECT 1 FROM expert_event l WHERE l.expert = s.expert AND l.action IN ('lead', 'expert')
            AND (l.lamport, l.uuid) > (s.lamport, s.uuid))),
  enrolled_first (expert) AS (SELECT id FROM expert ORDER BY created_ms, uuid LIMIT 1),
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

-- One row per person and item: the last standing answer under any of the person's names, a label or a skip (label null). `expert` is the
-- name under which it was given.
DROP VIEW current_answer;
CREATE VIEW current_answer AS
SELECT e.*, p.person FROM standing_event e CROSS JOIN person p ON p.expert = e.expert
WHERE e.action IN ('set', 'skip')
  AND NOT EXISTS (
      SELECT 1 FROM standing_event later CROSS JOIN person q ON q.expert = later.expert
      WHERE later.item = e.item AND q.person = p.person AND later.action IN ('set', 'skip')
        AND (later.lamport, later.uuid) > (e.lamport, e.uuid));

-- For which revision of the task a case was sent round again; such a case is one expert's, as a repeat is, and its answers speak of the item.
ALTER TABLE label_case ADD COLUMN again INTEGER REFERENCES task_revision (id);
DROP INDEX label_case_repeat;
CREATE UNIQUE INDEX label_case_repeat ON label_case (expert, item) WHERE expert IS NOT NULL AND again IS NULL;
CREATE UNIQUE INDEX label_case_again ON label_case (expert, item, again) WHERE again IS NOT NULL AND withdrawn_ms IS NULL;

DROP VIEW standing_event;
CREATE VIEW standing_event AS
SELECT e.* FROM upheld_event e
WHERE NOT (e.action IN ('set', 'skip') AND e.label_case IS NOT NULL
           AND EXISTS (SELECT 1 FROM label_case c WHERE c.id = e.label_case AND c.reason = 'repeat' AND c.again IS NULL));
