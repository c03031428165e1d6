-- What a Stable* change is to a callback that was told of the resource before: what came and what went since the last
-- revision that it finished.

create function finished_revision(p_resource bigint, p_script bigint, p_callback text) returns integer language sql as $$
  select coalesce((select revision from finished
    where resource = p_resource and script = p_script and callback = p_callback), 0)
$$;

-- Instances that were deleted between two changes, of those with numbers up to `p_newest`; lists have an end.
create function removed_since(p_resource bigint, p_after bigint, p_before bigint, p_newest bigint)
returns text language sql as $$
  with gone as (
    select c.seq, c.public_id, c.series from resource r, change c
    where r.id = p_resource and c.type = 11 and c.patient = ancestor(p_resource, 0)
      and c.seq > p_after and c.seq < p_before and c.resource <= p_newest
      and case r.level when 0 then true when 1 then c.key = r.public_id else c.series = r.public_id end
  ), gone_series as (
    select series, min(seq) as seq from gone g
    where not exists (select 1 from resource r where r.level = 2 and r.public_id = g.series) group by series
  )
  select json_build_object(
    'seriesCount', (select count(*) from gone_series),
    'instanceCount', (select count(*) from gone),
    'series', (select coalesce(json_agg(series order by seq), '[]')
      from (select * from gone_series order by seq limit 1000) n),
    'instances', (select coalesce(json_agg(public_id order by seq), '[]')
      from (select * from gone order by seq limit 1000) n))::text
$$;

-- No row: it is told as it was. `added` is null if the event says it already, `removed` if the callback knows nothing.
create function told_since(p_script bigint, p_callback text, p_replay integer, p_change change) returns table (
  since_revision integer, added_after bigint, added_up_to bigint, added text, removed text
) language plpgsql as $$
declare
  v_revision integer;
  v_newest bigint;
  v_seq bigint;
  v_is_older boolean := p_replay > 0;
begin
  if not v_is_older then
    select f.revision, f.newest_instance, f.seq into v_revision, v_newest, v_seq from finished f
    where f.resource = p_change.resource and f.script = p_script and f.callback = p_callback;
    -- Tried again by hand: a later one has told what came since.
    v_is_older := coalesce(v_revision >= p_change.revision, false);
  end if;
  -- Of a replay, or an older one, whatever was finished since: what came since the revision before it.
  if v_is_older and p_change.revision = 1 then
    v_revision := null;
    v_newest := null;
  elsif v_is_older then
    select c.revision, c.newest_instance, c.seq into v_revision, v_newest, v_seq from change c
    where c.resource = p_change.resource and c.type between 4 and 6 and c.seq < p_change.seq order by c.seq desc limit 1;
    -- The log does not go back that far.
    if not found then
      return;
    end if;
  end if;
  since_revision := coalesce(v_revision, 0);
  added_after := coalesce(v_newest, 0);
  added_up_to := p_change.newest_instance;
  if since_revision <> p_change.revision - 1 then
    select facts into added from added_between(p_change.resource, added_after, added_up_to);
  end if;
  if v_revision is not null then
    removed := removed_since(p_change.resource, v_seq, p_change.seq, v_newest);
  end if;
  return next;
end
$$;

-- A callback has finished a revision: the next one is told of what changes from there. A replay moves it on only from
-- the revision before, so that nothing is left out.
create function note_finished(p_script bigint, p_callback text, p_replay integer, p_change change)
returns void language sql as $$
  insert into finished (resource, script, callback, revision, newest_instance, seq)
  select id, p_script, p_callback, p_change.revision, p_change.newest_instance, p_change.seq
  from resource where id = p_change.resource
    and (p_replay = 0 or finished_revision(p_change.resource, p_script, p_callback) = p_change.revision - 1)
  on conflict (resource, script, callback) do update set
    revision = excluded.revision, newest_instance = excluded.newest_instance, seq = excluded.seq
  where excluded.revision >= finished.revision
$$;
