// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The WASM module that decides records by the block: what runtime/simulate/batch-module.ts calls. It is
 * set up once for a bundle and a world; then blocks of lines are read, and what was read is decided.
 * Its arenas are given to it by the caller, who knows how much of everything there is.
 */
#include "batch.h"
#include "answers.h"
#include "steps.h"
#include "line.h"

/* Fills in an end by calling weft_set_ends; the texts lie in this memory. */
WEFT_IMPORT("learn_ends")
void weft_learn_ends(__u32 number, const __u8 *from, __u32 from_length, const __u8 *to,
		     __u32 to_length, __u32 is_udp, const __u8 *bound, __u32 bound_length);

static struct weft_names weft_names;
static struct weft_cursor weft_cursor;
static __u16 weft_ends_slots[WEFT_ENDS_SLOTS]; /* number of an end + 1 */
static __u32 weft_ends_known;
static __u32 weft_seed;
static __u64 weft_usual_time;
static __u32 weft_at; /* line that is being decided */

WEFT_EXPORT("names") struct weft_names *weft_batch_names(void)
{
	return &weft_names;
}

WEFT_EXPORT("columns") __u32 weft_batch_columns(void)
{
	return WEFT_COLUMNS;
}

WEFT_EXPORT("setup") void weft_batch_setup(__u32 seed, __u64 time, __u32 fuel, __u32 is_allowed)
{
	weft_seed = seed;
	weft_usual_time = time;
	weft_fuel = fuel;
	weft_default = is_allowed ? WEFT_ALLOW : WEFT_DENY;
	__builtin_memset(weft_kinds, 0xff, sizeof(weft_kinds));
}

WEFT_EXPORT("set_kind") void weft_batch_kind(__u32 side, __u32 kind, __s32 slot)
{
	weft_kinds[side][kind] = slot;
}

WEFT_EXPORT("set_policy")
void weft_batch_policy(__u32 number, __u32 is_enforced, __u32 allows_connection,
		       __u32 allows_request, __u32 first_route, __u32 routes)
{
	struct weft_policy *policy = &weft_policies[number];

	policy->is_enforced = is_enforced;
	policy->can_allow[WEFT_AUTHORIZE_CONNECTION] = allows_connection;
	policy->can_allow[WEFT_AUTHORIZE_REQUEST] = allows_request;
	policy->first_route = first_route;
	policy->routes = routes;
}

/* `function` 0: it is asked elsewhere. */
WEFT_EXPORT("set_question")
void weft_batch_question(__u32 number, __u32 hook, __u32 function)
{
	weft_mark(&weft_has[hook], number);
	weft_policies[number].question[hook] = function;
}

WEFT_EXPORT("set_fuel") void weft_batch_fuel(__u32 number, __u32 fill, __u32 left)
{
	weft_policies[number].fill = fill;
	weft_policies[number].left = left;
}

/* Fuel that a policy burned which was asked elsewhere. */
WEFT_EXPORT("burn") void weft_batch_burn(__u32 fuel)
{
	weft_burned += fuel;
}

WEFT_EXPORT("set_text")
void weft_batch_text(__u32 policy, __u32 slot, const __u8 *bytes, __u32 length, __s32 symbol,
		     __s32 source_label, __s32 destination_label, __s32 header)
{
	struct weft_text *text = &weft_policies[policy].texts[slot];

	text->bytes = bytes;
	text->length = length;
	text->symbol = symbol;
	text->labels[0] = source_label;
	text->labels[1] = destination_label;
	text->header = header;
}

WEFT_EXPORT("set_pattern")
void weft_batch_pattern(__u32 policy, __u32 slot, const __u8 *steps)
{
	weft_policies[policy].texts[slot].pattern = steps;
}

WEFT_EXPORT("set_plan")
void weft_batch_plan(struct weft_endpoint *endpoints, struct weft_cluster *clusters,
		     struct weft_workload *workloads, __s32 *routes, __u8 *kinds, __u32 route_count)
{
	weft_endpoints = endpoints;
	weft_clusters = clusters;
	weft_workloads = workloads;
	weft_routes = routes;
	weft_route_kinds = kinds;
	weft_route_count = route_count;
}

WEFT_EXPORT("endpoint_bytes") __u32 weft_batch_endpoint_bytes(void)
{
	return sizeof(struct weft_endpoint);
}

WEFT_EXPORT("cluster_bytes") __u32 weft_batch_cluster_bytes(void)
{
	return sizeof(struct weft_cluster);
}

WEFT_EXPORT("workload_bytes") __u32 weft_batch_workload_bytes(void)
{
	return sizeof(struct weft_workload);
}

/* Answers where its 16 bytes of address go. */
WEFT_EXPORT("set_endpoint")
struct weft_address *weft_batch_endpoint(__u32 number, __u32 port, __s32 workload, __u32 is_http)
{
	struct weft_endpoint *endpoint = &weft_endpoints[number];

	endpoint->port = port;
	endpoint->is_http = is_http;
	endpoint->workload = workload;
	return &endpoint->address;
}

WEFT_EXPORT("set_cluster")
void weft_batch_cluster(__u32 number, __u32 first4, __u32 count4, __u32 first6, __u32 count6)
{
	weft_clusters[number] = (struct weft_cluster){ { first4, first6 }, { count4, count6 } };
}

/* Answers where its identity goes: predicates and attributes of struct weft_party. */
WEFT_EXPORT("set_workload") __u64 *weft_batch_workload(__u32 number, __u64 policies, __u64 more)
{
	weft_workloads[number].policies = (struct weft_policy_set){ { policies, more } };
	return &weft_workloads[number].party.predicates;
}

WEFT_EXPORT("set_route") void weft_batch_route(__u32 number, __s32 cluster, __u32 kind)
{
	weft_routes[number] = cluster;
	weft_route_kinds[number] = kind;
}

WEFT_EXPORT("set_ends")
void weft_batch_ends(__u32 number, __s32 source_workload, __s32 service, __s32 cluster,
		     __s32 request_cluster, __s32 destination, __u32 port, __u32 protocol,
		     __u32 family, __u32 is_http, __u64 policies, __u64 more)
{
	struct weft_ends *ends = &weft_ends[number];

	ends->source_workload = source_workload;
	ends->service = service;
	ends->cluster = cluster;
	ends->request_cluster = request_cluster;
	ends->destination = destination;
	ends->port = port;
	ends->protocol = protocol;
	ends->family = family;
	ends->is_http = is_http;
	ends->policies = (struct weft_policy_set){ { policies, more } };
	ends->is_known = 1;
}

/* Says that connections of these ends went to a place, whose address is still to be written. */
WEFT_EXPORT("set_bound") void weft_batch_bound(__u32 number, __u32 port)
{
	weft_ends[number].is_bound = 1;
	weft_ends[number].bound_port = port;
}

/* Where struct weft_party of the source, the address asked for, and the address bound to go. */
WEFT_EXPORT("ends_source") struct weft_party *weft_batch_source(__u32 number)
{
	return &weft_ends[number].source;
}

WEFT_EXPORT("ends_to") struct weft_address *weft_batch_to(__u32 number)
{
	return &weft_ends[number].to;
}

WEFT_EXPORT("ends_bound") struct weft_address *weft_batch_bound_to(__u32 number)
{
	return &weft_ends[number].bound;
}

/* Forgets all ends: records that name one must have been decided. */
WEFT_EXPORT("forget_ends") void weft_batch_forget_ends(void)
{
	__builtin_memset(weft_ends_slots, 0, sizeof(weft_ends_slots));
	weft_ends_known = 0;
}

WEFT_EXPORT("ends_full") __u32 weft_batch_ends_full(void)
{
	return weft_ends_known >= WEFT_ENDS;
}

static __u32 weft_hash(const __u8 *bytes, __u32 length, __u64 seed)
{
	__u64 hash = seed ^ length;

	for (; length >= 8; length -= 8, bytes += 8)
		hash = (hash ^ weft_eight(bytes)) * 0x9e3779b97f4a7c15ull;
	if (length)
		hash = (hash ^ weft_eight(bytes) << (64 - 8 * length)) * 0x9e3779b97f4a7c15ull;
	hash ^= hash >> 29;
	return hash * 0xbf58476d1ce4e5b9ull >> 32;
}

/*
 * The number of the ends that a line names, found once. Both places and the protocol lie side by side in
 * the line, so that their bytes are the key as they stand. -1 where there is no room for more.
 */
static __s32 weft_find_ends(const struct weft_reader *reader)
{
	__u32 places = reader->to + reader->to_length - reader->from;
	__u32 length = places + 1 + reader->bound_length;
	struct weft_ends *ends;
	__u32 slot, number;

	if (length > sizeof(ends->key) - 8)
		return WEFT_NONE;
	slot = weft_hash(reader->from, places, reader->is_udp);
	if (reader->bound)
		slot ^= weft_hash(reader->bound, reader->bound_length, 1);
	for (;; slot++) {
		slot &= WEFT_ENDS_SLOTS - 1;
		number = weft_ends_slots[slot];
		if (!number)
			break;
		ends = &weft_ends[--number];
		if (ends->key_length == length && ends->key[0] == reader->is_udp &&
		    weft_same(ends->key + 1, reader->from, places) &&
		    weft_same(ends->key + 1 + places, reader->bound, reader->bound_length))
			return number;
	}
	if (weft_ends_known >= WEFT_ENDS)
		return WEFT_NONE;
	number = weft_ends_known++;
	ends = &weft_ends[number];
	__builtin_memset(ends, 0, sizeof(*ends));
	ends->key_length = length;
	ends->key[0] = reader->is_udp;
	__builtin_memcpy(ends->key + 1, reader->from, places);
	__builtin_memcpy(ends->key + 1 + places, reader->bound, reader->bound_length);
	weft_learn_ends(number, reader->from, reader->from_length, reader->to, reader->to_length,
			reader->is_udp, reader->bound, reader->bound_length);
	weft_ends_slots[slot] = number + 1;
	return number;
}

/* Parses the head of a record as it came, whole. */
static void weft_parse(struct weft_record *record)
{
	struct weft_request *request = &record->request;

	weft_cursor.phase = WEFT_SCAN_START;
	record->is_refused = weft_parse_head(request->bytes, record->have, &weft_names,
					     &request->head, &weft_cursor) != WEFT_HEAD_OK;
}

static const __u8 *weft_line_end(const __u8 *at, const __u8 *end)
{
	__u64 mask;

	for (; at < end; at += 8) {
		mask = weft_equal(weft_eight(at), '\n') & WEFT_HIGH;
		if (mask)
			return at + weft_first(mask);
	}
	return end;
}

/*
 * Reads the lines of a block from an offset on into an arena of records; 8 zeros stand behind the block.
 * Fills `lines` and answers how many there are; `*stopped` is the offset of the first line for which there was no room.
 */
WEFT_EXPORT("read")
__u32 weft_batch_read(const __u8 *block, __u32 length, __u32 from, __u32 first_line,
		      struct weft_line *lines, __u32 most, __u8 *arena, __u32 arena_length,
		      __u32 *stopped)
{
	const __u8 *end = block + length;
	__u8 *arena_end = arena + arena_length;
	struct weft_reader reader = { .at = block + from };
	__u32 count = 0;

	while (reader.at < end && count < most && weft_ends_known < WEFT_ENDS) {
		struct weft_record *record = (struct weft_record *)arena;
		const __u8 *start = reader.at, *next;
		struct weft_line *line = &lines[count];
		__u8 *filled = 0;

		if (arena_end - arena < (long)(sizeof(struct weft_record) + 64))
			break;
		next = weft_line_end(start, end);
		line->start = start - block;
		line->record = 0;
		if (next - start <= WEFT_LINE_MAX)
			filled = weft_read_line(&reader, record, weft_seed, first_line + count,
						weft_usual_time);
		if (filled && reader.at == next) {
			__s32 ends = weft_find_ends(&reader);

			if (ends >= 0) {
				record->ends = ends;
				if (record->have)
					weft_parse(record);
				line->record = record;
				arena = (__u8 *)(((__u32)filled + 15) & ~7u);
			}
		}
		reader.at = next + 1;
		count++;
	}
	*stopped = reader.at < end ? reader.at - block : length;
	return count;
}

/* Decides lines into rows that are 0, from one on; what stops it leaves `at` at its line. */
WEFT_EXPORT("decide")
void weft_batch_decide(const struct weft_line *lines, __u32 from, __u32 count, __s32 *rows)
{
	for (weft_at = from; weft_at < count; weft_at++)
		if (lines[weft_at].record)
			weft_decide(lines[weft_at].record, rows + weft_at * WEFT_COLUMNS);
}

WEFT_EXPORT("at") __u32 weft_batch_at(void)
{
	return weft_at;
}

/* What the functions that are answered elsewhere look at: struct weft_request, and bytes of its head. */
WEFT_EXPORT("current") struct weft_request *weft_batch_current(void)
{
	return &weft_current->request;
}

WEFT_EXPORT("have") __u32 weft_batch_have(void)
{
	return weft_current->have;
}
