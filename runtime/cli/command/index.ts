/** The command table, in the order of `--help`. A verb is in it or does not exist. */
import type { CommandSpec } from '../command-spec.js';
import { AGENT_COMMAND } from './agent.js';
import { BENCH_COMMAND } from './bench.js';
import { BUILD_COMMAND } from './build.js';
import { CHECK_COMMAND } from './check.js';
import { completionCommand } from './completion.js';
import { CONTROL_COMMAND } from './control.js';
import { DEPLOY_COMMAND } from './deploy.js';
import { DIFF_COMMAND } from './diff.js';
import { DOCTOR_COMMAND } from './doctor.js';
import { ENROL_COMMAND } from './enrol.js';
import { EVENTS_COMMAND } from './events.js';
import { EXPLAIN_COMMAND } from './explain.js';
import { IMPORT_COMMAND } from './import.js';
import { INIT_COMMAND } from './init.js';
import { INSPECT_COMMAND } from './inspect.js';
import { KEEPER_COMMAND } from './keeper.js';
import { KEYGEN_COMMAND } from './keygen.js';
import { LINT_COMMAND } from './lint.js';
import { LOAD_COMMAND } from './load.js';
import { PLAYGROUND_COMMAND } from './playground.js';
import { PROVE_COMMAND } from './prove.js';
import { PULL_COMMAND } from './pull.js';
import { PUSH_COMMAND } from './push.js';
import { RECORD_COMMAND } from './record.js';
import { REPLAY_COMMAND } from './replay.js';
import { ROLLBACK_COMMAND } from './rollback.js';
import { ROLLOUT_COMMAND } from './rollout.js';
import { SIGN_COMMAND } from './sign.js';
import { SIMULATE_COMMAND } from './simulate.js';
import { STATUS_COMMAND } from './status.js';
import { TEST_COMMAND } from './test.js';
import { TOP_COMMAND } from './top.js';
import { UNENROL_COMMAND } from './unenrol.js';
import { UNLOAD_COMMAND } from './unload.js';
import { VERIFY_COMMAND } from './verify.js';
import { VERSION_COMMAND } from './version.js';

export const COMMANDS: readonly CommandSpec[] = [
  INIT_COMMAND,
  CHECK_COMMAND,
  BUILD_COMMAND,
  INSPECT_COMMAND,
  SIMULATE_COMMAND,
  TEST_COMMAND,
  EXPLAIN_COMMAND,
  LINT_COMMAND,
  DIFF_COMMAND,
  PROVE_COMMAND,
  BENCH_COMMAND,
  PLAYGROUND_COMMAND,
  IMPORT_COMMAND,
  RECORD_COMMAND,
  REPLAY_COMMAND,
  KEYGEN_COMMAND,
  SIGN_COMMAND,
  VERIFY_COMMAND,
  PUSH_COMMAND,
  PULL_COMMAND,
  DEPLOY_COMMAND,
  ROLLOUT_COMMAND,
  LOAD_COMMAND,
  ROLLBACK_COMMAND,
  UNLOAD_COMMAND,
  ENROL_COMMAND,
  UNENROL_COMMAND,
  STATUS_COMMAND,
  TOP_COMMAND,
  EVENTS_COMMAND,
  DOCTOR_COMMAND,
  AGENT_COMMAND,
  KEEPER_COMMAND,
  CONTROL_COMMAND,
  VERSION_COMMAND,
  completionCommand(() => COMMANDS),
];
