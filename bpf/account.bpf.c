// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Counts and reports verdicts of the agent on requests, as request/report.h does those of the kernel:
 * only programs can add to counters per CPU and write into the ring. Run by BPF_PROG_TEST_RUN; loaded
 * once for each generation that the agent judges by, onto the node's maps and its weft_sites.
 */
#include "request/node.h"
#include "sites.h"

/* Written before a run: no argument of a program may go into the ring itself. */
struct weft_account {
	struct weft_request_event record;
	struct weft_request request; /* what the policies were asked about */
};
WEFT_MAP(weft_account_input, BPF_MAP_TYPE_ARRAY, __u32, struct weft_account, 1);

struct weft_accounting {
	__u32 told;   /* it is always reported; else only while somebody reads what passes */
	__u32 wanted; /* out: enum weft_wanted_kind */
};

SEC("syscall") int account_verdict(struct weft_accounting *accounting)
{
	__u32 zero = 0, wanted = weft_is_followed();
	struct weft_account *account = bpf_map_lookup_elem(&weft_account_input, &zero);

	accounting->wanted = wanted;
	if (!account)
		return 0;
	account->record.event.time = bpf_ktime_get_ns();
	weft_count(&weft_sites, account->record.event.result.decision.site);
	weft_count_reason(account->record.event.result.decision.reason,
			  account->record.event.result.decision.verdict);
	if ((accounting->told || wanted) &&
	    bpf_ringbuf_output(&weft_events, &account->record, sizeof(account->record),
			       BPF_RB_NO_WAKEUP))
		weft_count(&weft_losses, 0);
	return 0;
}

/* The request up to the end of its head, after its verdict. */
SEC("syscall") int account_head(void *nothing)
{
	__u32 zero = 0, length;
	struct weft_account *account = bpf_map_lookup_elem(&weft_account_input, &zero);

	if (!account)
		return 0;
	length = account->request.head.length;
	asm volatile("" : "+r"(length));
	if (length > WEFT_HEAD_MAX)
		return 0;
	if (bpf_ringbuf_output(&weft_events, &account->request,
			       __builtin_offsetof(struct weft_request, bytes) + length,
			       BPF_RB_NO_WAKEUP))
		weft_count(&weft_losses, 0);
	return 0;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
