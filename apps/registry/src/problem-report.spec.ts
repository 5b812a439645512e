import { describe, expect, it } from '@jest/globals';
import type { Diagnostic } from '@seine/diagnostics';
import { ProblemReport } from './problem-report.js';

const problem = (line: number, severity: Diagnostic['severity'] = 'error'): Diagnostic => ({
  severity,
  code: 'SEINE-SCHEMA',
  message: 'expected a number',
  position: { file: '/mesh/a.yaml', line },
});

function reportOf(...updates: readonly (readonly Diagnostic[])[]): readonly string[] {
  const lines: string[] = [];
  const report = new ProblemReport((line, isProblem) => lines.push(`${isProblem ? '!' : '•'} ${line}`));
  for (const diagnostics of updates) report.take({ diagnostics: new Map([['file:/mesh/a.yaml', diagnostics]]) });
  return lines;
}

describe('ProblemReport', () => {
  it('tells a problem once, with its place', () => {
    expect(reportOf([problem(3)], [problem(3)])).toEqual(['! /mesh/a.yaml:3: error SEINE-SCHEMA expected a number']);
  });

  it('tells what is new beside what is known', () => {
    expect(reportOf([problem(3)], [problem(3), problem(9, 'warning')])).toHaveLength(2);
  });

  it('says when a file is right again', () => {
    expect(reportOf([problem(3)], [])).toContain('• /mesh/a.yaml: nothing wrong with it any more');
  });

  it('says nothing of files that never were wrong, nor of mere information', () => {
    expect(reportOf([], [problem(1, 'info')], [])).toEqual([]);
  });

  it('cuts a flood and says by how much', () => {
    const lines = reportOf(Array.from({ length: 50 }, (_, i) => problem(i + 1)));
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('! … and 30 more in /mesh/a.yaml');
  });
});
