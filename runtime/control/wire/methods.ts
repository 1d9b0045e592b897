/** The services of the control plane as grpc-js takes them. */
import { type MethodsOf, methodsOf } from '../../grpc/index.js';
import { AggregatedDiscoveryService } from './gen/envoy/service/discovery/v3/ads_pb.js';
import { Admin } from './gen/weft/control/v1/admin_pb.js';
import { Reports } from './gen/weft/control/v1/reports_pb.js';

export const DISCOVERY_METHODS: MethodsOf<typeof AggregatedDiscoveryService> = methodsOf(
  AggregatedDiscoveryService,
);
export const REPORT_METHODS: MethodsOf<typeof Reports> = methodsOf(Reports);
export const ADMIN_METHODS: MethodsOf<typeof Admin> = methodsOf(Admin);
