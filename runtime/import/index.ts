export { CODES as IMPORT_CODES } from './codes.js';
export { type GatewayOptions, importGateway } from './gateway/import-gateway.js';
export { importIstio } from './istio/import-istio.js';
export { ISTIO_DEFAULTS, type IstioOptions, type PathNormalization } from './istio/options.js';
export { importNetwork } from './network/import-network.js';
export type { SourceFile } from './objects.js';
export { type ImportedFile, type ImportedProject, projectText } from './project.js';
export type { KnownCluster, KnownPort, KnownService, Services } from './route/model.js';
export { MAX_DEPTH, MAX_NODES } from './tree.js';
