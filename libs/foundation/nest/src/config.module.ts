import { type DynamicModule, Module } from '@nestjs/common';

declare const settingsType: unique symbol;

/** A key under which settings of one type are injected. */
export type ConfigToken<T> = symbol & { readonly [settingsType]?: T };

export function configToken<T>(description: string): ConfigToken<T> {
  return Symbol(description);
}

/** Makes an app's settings, parsed and checked before, known to all its modules. */
@Module({})
export class ConfigModule {
  static register<T extends object>(token: ConfigToken<T>, value: T): DynamicModule {
    const provider = { provide: token as symbol, useValue: Object.freeze(value) };
    return { module: ConfigModule, global: true, providers: [provider], exports: [provider] };
  }
}
