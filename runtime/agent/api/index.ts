export { type Access, accessOf, groupId, READERS_GROUP } from './access.js';
export { type AgentApi, type ApiAnswer, agentApi, openAgentApi } from './client.js';
export { jsonLine, jsonValue } from './json.js';
export type { EventFilter } from './read-call.js';
export { type Api, type ApiWorld, type Checked, NotYet, serveApi } from './serve.js';
