-- The log: its lock, its numbers, its time.

-- One at a time gives numbers, fires windows or deletes; arrivals do not wait for it. Held until the commit.
create function lock_log() returns void language sql as $$
  select pg_advisory_xact_lock('log_state'::regclass::oid::bigint)
$$;

create function try_lock_log() returns boolean language sql as $$
  select pg_try_advisory_xact_lock('log_state'::regclass::oid::bigint)
$$;

-- Milliseconds. The clock of the database, which all nodes share; in tests, the one that is given.
create function now_ms(p_now bigint) returns bigint language sql as $$
  select greatest(
    coalesce(p_now, (extract(epoch from clock_timestamp()) * 1000)::bigint),
    (select greatest(last_tick_at, last_at) from log_state))
$$;

-- Gives numbers to all that is committed and has none; needs the lock of the log.
create function number_changes() returns void language plpgsql as $$
declare
  v_moved integer;
  v_before bigint := last_seq();
begin
  loop
    with taken as (
      delete from pending_change where id in (select id from pending_change order by id limit 5000) returning *
    ), numbered as (
      select t.*, row_number() over (order by t.id) as place, max(t.at) over (order by t.id) as latest from taken t
    ), moved as (
      insert into change
        select s.last_seq + n.place, n.type, n.resource, n.public_id, n.key, n.patient, n.series, greatest(n.latest, s.last_at), n.origin,
          n.event, n.revision, n.newest_instance
        from numbered n, log_state s
      returning seq, at, type, series, key, patient
    ), raised as (
      -- What was committed while a later time was written is told under that time, and is quiet from then on.
      update open_window w set last_at = greatest(w.last_at, m.at)
      from (select max(m.at) as at, r.id from moved m
        join numbered n on n.place = m.seq - (select last_seq from log_state) and n.at < m.at
        cross join lateral (values (2, m.series), (1, m.key), (0, m.patient)) l (level, public_id)
        join resource r on r.level = l.level and r.public_id = l.public_id
        where m.type = 3 group by r.id) m
      where w.resource = m.id
    )
    update log_state s set last_seq = m.last_seq, last_at = m.last_at
    from (select max(seq) as last_seq, max(at) as last_at from moved having count(*) > 0) m;
    get diagnostics v_moved = row_count;
    exit when v_moved = 0;
  end loop;
  -- One at a time is here, so the lock that a commit with a notification takes holds up nobody.
  if last_seq() > v_before then
    perform hint('log');
  end if;
end
$$;

-- So that whoever asks sees all that was committed before.
create function number_pending() returns void language plpgsql as $$
begin
  if exists (select 1 from pending_change) then
    perform lock_log();
    perform number_changes();
  end if;
end
$$;

-- True: it gave numbers, which have to be durable before they are seen.
create function number_if_free() returns boolean language plpgsql as $$
begin
  if not exists (select 1 from pending_change) or not try_lock_log() then
    return false;
  end if;
  perform number_changes();
  return true;
end
$$;

-- What this transaction does may be undone by a crash, with all that came after it.
create function commit_unsynced() returns void language sql as $$
  select set_config('synchronous_commit', 'off', true)
$$;

create function last_seq() returns bigint language sql as $$
  select last_seq from log_state
$$;

-- p_near: the resource, or the series of an instance.
create function append_change(
  p_now bigint, p_type integer, p_resource bigint, p_public_id text, p_near bigint, p_event text,
  p_revision integer default null, p_newest_instance bigint default null
) returns void language sql as $$
  insert into pending_change
    (type, resource, public_id, key, patient, series, at, event, revision, newest_instance)
  values (p_type, p_resource, p_public_id, key_of(p_near), ancestor(p_near, 0), ancestor(p_near, 2), p_now, p_event,
    p_revision, p_newest_instance)
$$;

-- ISO 8601 with milliseconds, as JavaScript writes it.
create function iso_time(p_ms bigint) returns text language sql immutable as $$
  select to_char(to_timestamp(p_ms / 1000) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
    || '.' || lpad((p_ms % 1000)::text, 3, '0') || 'Z'
$$;
