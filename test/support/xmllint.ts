/** libxml2's own `xmllint`: whether a document is valid, and what a parser reads in it. */
import { spawnSync } from 'node:child_process';
import { programOf } from './debian.ts';

const { path, env } = programOf({ binary: 'usr/bin/xmllint', packages: ['libxml2-utils'], formula: 'libxml2' });

export interface Verdict {
  readonly isValid: boolean;
  /** What is wrong with it, as xmllint says it. */
  readonly errors: string;
  /** The document as xmllint writes it again. */
  readonly written: string;
}

/** @param dtd the path of the DTD that the document is held against */
export function validate(xml: string, dtd: string): Verdict {
  const { status, stdout, stderr, error } = spawnSync(path, ['--nonet', '--dtdvalid', dtd, '-'], {
    input: xml,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw error;
  return { isValid: status === 0, errors: stderr, written: stdout };
}
