-- File version 2: an expert's own evaluation cases come back blind. Such a case has the reason 'repeat'; its answers vote on nothing.

-- Whom alone a case is for: of a repeat, once it has been handed out. Until then its item stands for none: the place is kept.
ALTER TABLE label_case ADD COLUMN expert INTEGER REFERENCES expert (id);
-- When the model's view was shown in a repeat. `reveal` speaks of the item, which the expert had before.
ALTER TABLE label_case ADD COLUMN revealed_ms INTEGER;
-- Once for each expert and item.
CREATE UNIQUE INDEX label_case_repeat ON label_case (expert, item) WHERE expert IS NOT NULL;

DROP VIEW current_answer;
DROP VIEW standing_event;

-- Events that are not taken back: not the target of a retraction that is later than every restoration of it.
CREATE VIEW upheld_event AS
SELECT e.* FROM label_event e
WHERE e.action NOT IN ('retract', 'restore')
  AND 'retract' IS NOT (
      SELECT t.action FROM label_event t
      WHERE t.target = e.uuid AND t.action IN ('retract', 'restore')
      ORDER BY t.lamport DESC, t.uuid DESC LIMIT 1);

-- Of these, all that speak of the item: an answer to a repeat speaks of the expert.
CREATE VIEW standing_event AS
SELECT e.* FROM upheld_event e
WHERE NOT (e.action IN ('set', 'skip') AND e.label_case IS NOT NULL
           AND EXISTS (SELECT 1 FROM label_case c WHERE c.id = e.label_case AND c.reason = 'repeat'));

-- One row per expert and item: the last standing answer, a label or a skip (label null).
CREATE VIEW current_answer AS
SELECT e.* FROM standing_event e
WHERE e.action IN ('set', 'skip')
  AND NOT EXISTS (
      SELECT 1 FROM standing_event later
      WHERE later.item = e.item AND later.expert = e.expert AND later.action IN ('set', 'skip')
        AND (later.lamport, later.uuid) > (e.lamport, e.uuid));

-- The same of repeats: one row for each that has an answer.
CREATE VIEW repeat_answer AS
SELECT e.* FROM label_case c JOIN upheld_event e ON e.label_case = c.id
WHERE c.reason = 'repeat' AND e.action IN ('set', 'skip')
  AND NOT EXISTS (
      SELECT 1 FROM upheld_event later
      WHERE later.label_case = c.id AND later.action IN ('set', 'skip')
        AND (later.lamport, later.uuid) > (e.lamport, e.uuid));
