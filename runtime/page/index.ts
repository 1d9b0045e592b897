export {
  LOOPBACK,
  type PageOptions,
  type PageServer,
  type Reply,
  type Route,
  servePage,
} from './serve-page.js';
