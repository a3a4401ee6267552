-- File version 4: a byte that a disk changed is noticed, also where SQLite reads it as valid.

-- For each row that a label rests on (a label event, what was said of experts, a revision of the task, an expert, a sitting) a hash of what
-- was written and never changes. Against accident: whoever may write the file may write seals, too. `of` is the table.
CREATE TABLE seal (
    of   TEXT    NOT NULL,
    row  INTEGER NOT NULL,
    hash BLOB    NOT NULL CHECK (length(hash) = 16),
    PRIMARY KEY (of, row)
) STRICT, WITHOUT ROWID;
