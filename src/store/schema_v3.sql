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
