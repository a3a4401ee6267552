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
