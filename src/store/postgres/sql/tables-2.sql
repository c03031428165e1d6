-- Instances that are held elsewhere, what a message broker brings and takes, and which server ticked last.

-- When the PostgreSQL began that the last tick ran on: after a fail-over it is another.
alter table log_state add column server text;

alter table open_window add column elsewhere boolean not null default false;
-- When it will have been quiet, if it only waits for what was announced before.
alter table open_window add column held_due bigint;
create index open_window_held on open_window (held_due) where held_due is not null;

-- One row. Until when somebody follows the announcements of a broker, and up to when all of them were taken in.
create table announcement_state (
  only_one boolean primary key default true check (only_one),
  until bigint not null default 0,
  caught_up bigint not null default 0
) with (fillfactor = 50);
insert into announcement_state default values;

-- At most one row. How far the log was published, and whose turn it is.
create table relay (
  only_one boolean primary key default true check (only_one),
  cursor bigint not null,
  fence integer not null,
  holder text not null,
  held_until bigint not null
) with (fillfactor = 50);

create table command (id text primary key, at bigint not null);
create index command_at on command (at);
