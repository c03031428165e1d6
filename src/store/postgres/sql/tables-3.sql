-- What a run was told, where the log does not say so.
alter table run add column event text;
