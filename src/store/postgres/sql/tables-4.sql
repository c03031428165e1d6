-- How many runs of a script may be at work at a time.
alter table script add column concurrency integer not null default 1;
