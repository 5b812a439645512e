/** Fetches the WebAssembly modules that WasmPlugins and TrafficExtensions name, from registries, web servers and files. */
export { type ModuleStatus, WasmModules, type WasmModulesOptions } from './wasm-modules.js';
export { FetchFailure } from './fetch-failure.js';
