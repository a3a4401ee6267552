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
