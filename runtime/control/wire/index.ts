export { create, fromBinary, toBinary } from '@bufbuild/protobuf';
export * from './gen/envoy/config/core/v3/base_pb.js';
export * from './gen/envoy/service/discovery/v3/discovery_pb.js';
export * from './gen/google/rpc/status_pb.js';
export * from './gen/weft/control/v1/admin_pb.js';
export * from './gen/weft/control/v1/bundle_pb.js';
export * from './gen/weft/control/v1/reports_pb.js';
export * from './limits.js';
export * from './methods.js';
