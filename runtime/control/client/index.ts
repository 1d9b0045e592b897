export { AdminError } from './admin-error.js';
export { CODES as ADMIN_CODES } from './codes.js';
export { openAdmin } from './open-admin.js';
