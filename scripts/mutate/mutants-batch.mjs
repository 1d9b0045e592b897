// Records that are decided in one block of WebAssembly: read and decided as the plain reader and the simulator do.
const steps = 'bpf/batch/steps.h';
const verdict = 'bpf/batch/verdict.h';
const line = 'bpf/batch/line.h';
const time = 'bpf/batch/time.h';
const suite = 'differential/batch';

export const BATCH = [
  {
    class: 'calendar',
    name: '2100 has a leap day',
    file: time,
    find: '(year % 100 || year % 400 == 0)',
    replace: 'year % 100 >= 0',
    suite: suite,
  },
  {
    class: 'off by one in a bound',
    name: 'a second more in a minute',
    file: time,
    find: 'second > 59)',
    replace: 'second > 60)',
    suite: suite,
  },
  {
    class: 'JSON',
    name: 'numbers begin with zeros',
    file: line,
    find: "|| (digits > 1 && *reader->at == '0'))",
    replace: ')',
    suite: suite,
  },
  {
    class: 'width',
    name: 'a number above 32 bits is cut',
    file: line,
    find: 'read >> 32 ||',
    replace: '',
    suite: suite,
  },
  {
    class: 'wrong field',
    name: 'the host keeps the colon of its port',
    file: line,
    find: 'return length - 1;',
    replace: 'return length;',
    suite: suite,
  },
  {
    class: 'DENY below ALLOW',
    name: 'an allow goes before a deny of the block',
    file: verdict,
    find: 'said->verdict = is_denied ? WEFT_DENY : WEFT_ALLOW;',
    replace: 'said->verdict = is_allowed ? WEFT_ALLOW : WEFT_DENY;',
    suite: suite,
  },
  {
    class: 'trap => allow',
    name: 'no opinion is the default though somebody may allow',
    file: verdict,
    find: 'said->verdict = can_allow ? WEFT_DENY : weft_default;',
    replace: 'said->verdict = weft_default;',
    suite: suite,
  },
  {
    class: 'shadow enforced',
    name: 'a shadow policy routes',
    file: steps,
    find: 'if (!policy->is_enforced)\n			continue;\n		answer',
    replace: 'answer',
    suite: suite,
  },
  {
    class: 'lost or old',
    name: "what the client's end audited is forgotten at the server's",
    file: verdict,
    find: 'weft_add_marks(&flow->said, &before);',
    replace: '(void)before;',
    suite: suite,
  },
  {
    class: 'scope',
    name: 'a connection to any port is let be where policies are about requests alone',
    file: verdict,
    find: 'flow->record->have || !(is_server ? flow->is_http : flow->ends->is_http) ||',
    replace: 'flow->record->have ||',
    suite: suite,
  },
  {
    class: 'families mixed',
    name: 'a bound endpoint is known by its port',
    file: steps,
    find: 'first[i].port == ends->bound_port &&\n			    weft_same_address(&first[i].address, &ends->bound))',
    replace: 'first[i].port == ends->bound_port)',
    suite: suite,
  },
  {
    class: 'off by one in a bound',
    name: 'picks go over all endpoints but one',
    file: steps,
    find: 'flow->record->pick % cluster->count[family];',
    replace: 'flow->record->pick % (cluster->count[family] > 1 ? cluster->count[family] - 1 : 1);',
    suite: suite,
  },
  {
    class: 'scope',
    name: "the server's end asks the policies of the client's",
    file: steps,
    find: 'flow->policies = workload->policies;',
    replace: '',
    suite: suite,
  },
];
