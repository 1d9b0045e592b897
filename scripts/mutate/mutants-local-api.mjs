// The agent's local API: who may what, and what a caller costs the agent.
const read = 'runtime/agent/api/read-call.ts';
const events = 'runtime/agent/api/event-stream.ts';
const suite = 'unit/local-api';

export const LOCAL_API = [
  {
    class: 'error => pass',
    name: 'whoever is in any group reads',
    file: 'runtime/agent/api/access.ts',
    find: 'peer.gids.includes(readers)',
    replace: 'peer.gids.length > 0',
    suite: suite,
  },
  {
    class: 'error => pass',
    name: 'readers change the node',
    file: 'runtime/agent/api/serve.ts',
    find: "&& access !== 'change') {",
    replace: "&& access === 'none') {",
    suite: suite,
  },
  {
    class: 'error => pass',
    name: 'a change is made by GET',
    file: read,
    find: "if (method !== (isChange ? 'POST' : 'GET'))",
    replace: "if (method !== 'POST' && method !== 'GET')",
    suite: suite,
  },
  {
    class: 'off by one in a bound',
    name: 'generation 0 is one to go back to',
    file: read,
    find: 'if (found === null || found.value === 0)',
    replace: 'if (found === null)',
    suite: suite,
  },
  {
    class: 'error => pass',
    name: 'a body may say more than it is asked',
    file: read,
    find: 'if (others.length > 0) return null;',
    replace: '',
    suite: suite,
  },
  {
    class: 'wrong bound',
    name: 'a slow caller fills the memory',
    file: events,
    find: 'if (sink.waiting > MAX_WAITING) {',
    replace: 'if (sink.waiting < 0) {',
    suite: suite,
  },
  {
    class: 'lost or old',
    name: 'events that found no room are not counted',
    file: events,
    find: 'lost += 1;',
    replace: '',
    suite: suite,
  },
  {
    class: 'lost or old',
    name: 'what was lost beside events of others is not told',
    file: events,
    find: 'lost += event.lost;\n    if (!passes(filter, event)) return;',
    replace: 'if (!passes(filter, event)) return;\n    lost += event.lost;',
    suite: suite,
  },
  {
    class: 'off by one in a bound',
    name: 'one event more than were asked for',
    file: events,
    find: 'written >= filter.limit;',
    replace: 'written > filter.limit;',
    suite: suite,
  },
];
