export const ADAPTERS = Symbol('mixer adapters');
