/** Config from files: parsed with positions, read once or watched. */
export { type ParsedConfig, parseConfig } from './parse-config.js';
export { type ConfigDocument, positionOf } from './placed-items.js';
export { readConfigPath } from './read-config-path.js';
export { FileSource, type FileSourceOptions, originOfFile } from './file-source.js';
export { ConfigPathError } from './config-files.js';
export { type CheckedObject, checkObjects } from './check-object.js';
export { formatObject } from './format-object.js';
