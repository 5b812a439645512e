import type { AuthorityReport, DenialReport, IssuedReport, RootReport } from '@seine/api';
import type { Row } from './table.js';

export const rootHeader = ['ROOT', 'ROLE', 'SUBJECT', 'UNTIL', 'RETIRES'] as const;

const roleColour = { signing: 'green', prepared: 'yellow', retiring: 'dim' } as const;
const shownDigits = 16;

function rootRow({ fingerprint, role, subject, notAfter, retiresAt = '' }: RootReport): Row {
  return {
    cells: [fingerprint.slice(0, shownDigits), { text: role, colour: roleColour[role] }, subject, notAfter, retiresAt],
  };
}

export function rootRows({ roots }: AuthorityReport): readonly Row[] {
  return roots.map(rootRow);
}

/** What goes on, in a sentence; empty where nothing does. */
export function rotationSentence({ phase, automatic, waitingFor, followers }: AuthorityReport): string {
  const late = followers.filter(({ upToDate }) => !upToDate).length;
  const spread = `${followers.length - late} of ${followers.length} followers have it`;
  switch (phase) {
    case 'stable':
      return '';
    case 'prepared': {
      const next = automatic ? 'it will sign by itself' : 'it may be activated';
      return `a new root is prepared, ${spread}; ${waitingFor === undefined ? `${next} now` : waitingFor}`;
    }
    case 'activated':
      return 'the new root signs; the old one is trusted until the last of its certificates has ended';
  }
}

export const issuedHeader = ['IDENTITY', 'SERIAL', 'ISSUED', 'UNTIL', 'PROVED BY', 'FROM'] as const;

export function issuedRows(issued: readonly IssuedReport[]): readonly Row[] {
  return issued.map(({ spiffeId, serial, issuedAt, notAfter, by, address }) => ({
    cells: [spiffeId, serial, issuedAt, notAfter, by, address],
  }));
}

export const deniedHeader = ['IDENTITY', 'SINCE', 'REASON'] as const;

export function deniedRows(denied: readonly DenialReport[]): readonly Row[] {
  return denied.map(({ spiffeId, since, reason }) => ({ cells: [spiffeId, since, reason] }));
}
