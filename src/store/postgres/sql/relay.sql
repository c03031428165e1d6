-- How far the log was published: one cursor, and whose turn it is to move it.

-- Never published before: it begins at the end of the log. No row: it is another server's turn. Whoever takes over has
-- a new fence.
create function take_relay(p_now bigint, p_node text, p_ttl_ms bigint)
returns table (cursor bigint, fence integer) language plpgsql as $$
declare
  v_now bigint := now_ms(p_now);
begin
  perform commit_unsynced();
  insert into relay as r (cursor, fence, holder, held_until) values (last_seq(), 1, p_node, v_now + p_ttl_ms)
  on conflict (only_one) do update set
    fence = r.fence + case when r.holder = p_node then 0 else 1 end,
    holder = p_node, held_until = v_now + p_ttl_ms
  where r.holder = p_node or r.held_until <= v_now;
  return query select r.cursor, r.fence from relay r where r.holder = p_node and r.held_until > v_now;
end
$$;

-- False: it was moved by somebody else.
create function advance_relay(p_fence integer, p_cursor bigint) returns boolean language plpgsql as $$
begin
  perform commit_unsynced();
  update relay set cursor = greatest(cursor, p_cursor) where fence = p_fence;
  return found;
end
$$;

create function release_relay(p_now bigint, p_node text) returns void language sql as $$
  update relay set held_until = least(held_until, now_ms(p_now)) where holder = p_node
$$;

-- Returns where it was. Null: nothing was ever published.
create function rewind_relay(p_since bigint) returns bigint language plpgsql as $$
declare
  v_before bigint;
begin
  select cursor into v_before from relay for update;
  update relay set cursor = least(cursor, p_since), fence = fence + 1;
  return v_before;
end
$$;
