export {
  type Dot,
  type NodeView,
  type PageState,
  pageState,
  type RolloutView,
  type StagePlace,
  type StageView,
} from './page-state.js';
export { type StatusPlace, type StatusSource, serveStatus } from './serve-status.js';
