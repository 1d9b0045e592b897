export {
  type BatchAnswer,
  type BatchDecider,
  createBatchDecider,
  type FoundEnds,
  type HeldBlock,
} from './batch-decider.js';
export { CODES as SIMULATE_CODES } from './codes.js';
export {
  type ConnectionFields,
  encodeConnections,
  type PartyFields,
  writeConnection,
} from './connection.js';
export { decidePath } from './decide-path.js';
export { caseDraws, DEFAULT_NOW, splitMix32 } from './draws.js';
export {
  createEngine,
  type Engine,
  type EngineAnswer,
  type EngineManifest,
  type EngineSetup,
  type StartPolicy,
  type Stop,
} from './engine.js';
export type { Flow } from './flow.js';
export { connectionOf } from './flow-steps.js';
export { withHealth } from './health-index.js';
export { type Current, hostImports, OUT_OF_FUEL, type Texts } from './host.js';
export { createInlineDecider, type InlineDecider } from './inline-decider.js';
export { openSimulator, type Simulator, type StartEngine } from './open-simulator.js';
export type { BoundPlace, DecideInput, Outcome, ShadowVerdict } from './outcome.js';
export { patternMatcher } from './patterns.js';
export { indexPlan, type PlanIndex } from './plan-index.js';
export {
  type Expectation,
  parseDraw,
  parseTime,
  type RequestCase,
  readScenario,
  readScenarioForm,
  requestText,
  type Scenario,
  type ScenarioCase,
  type ScenarioForm,
  type ScenarioRead,
} from './read-scenario.js';
export {
  ASKED,
  type Ask,
  type ConnectionAsk,
  RECORD,
  type RecordFields,
  readRecord,
} from './record.js';
export { encodeRequests, type RequestText, requestHead, requestParser } from './request.js';
export {
  type ConnectEnds,
  type ConnectFault,
  type ConnectOutcome,
  type ConnectText,
  resolveConnect,
} from './resolve-connect.js';
export { type RuleFinder, ruleFinder } from './rules.js';
export {
  type CaseResult,
  compareOutcome,
  runScenario,
  type ScenarioResult,
} from './run-scenario.js';
export { isSimulateError, SimulateError, type SimulateErrorCode } from './simulate-error.js';
export { createSimulator, type SimulatorOptions } from './simulator.js';
export {
  type AskedAt,
  judgesRequests,
  unseenRequests,
  unseenWarning,
} from './unseen-requests.js';
export { type WasmtimePolicies, wasmtimePolicies } from './wasmtime-policies.js';
export { exportedMemory, startModule } from './web-assembly.js';
export { DEFAULT_DEADLINE_MS, startWorkerEngine, type WorkerEngine } from './worker-engine.js';
