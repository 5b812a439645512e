import { jest } from '@jest/globals';
import { tokenSuite } from './token-suite.js';

jest.setTimeout(180_000);

tokenSuite();
