/** Injects the mesh log (`Store` of @seine/ports). */
export const STORE = Symbol('store');
