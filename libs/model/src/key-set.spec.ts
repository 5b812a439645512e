import { describe, expect, it } from '@jest/globals';
import { type KeyLocation, keySource } from './key-set.js';

describe('keySource', () => {
  it.each<[string, KeyLocation, string | undefined]>([
    ['stated', { issuer: 'me', jwks: '{}' }, undefined],
    ['at a URI', { issuer: 'me', jwksUri: 'https://me/keys' }, 'https://me/keys'],
    ['found through discovery', { issuer: 'https://me' }, 'https://me'],
    ['stated by an empty text', { issuer: 'https://me', jwks: '', jwksUri: '' }, 'https://me'],
    ['nowhere', {}, undefined],
  ])('knows where keys are that are %s', (_name, location, source) => expect(keySource(location)).toBe(source));
});
