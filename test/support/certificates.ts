/** Certificates of a test's own: an authority that nobody knows, and what it has signed for this machine. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programOf } from './debian.ts';

export interface Certificate {
  /** Both as PEM. */
  readonly cert: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

export interface Authority extends Certificate {
  /** Signs one for a host. */
  sign(host: string): Certificate;
}

export function makeAuthority(name = 'an authority of a test'): Authority {
  const openssl = programOf({ binary: 'usr/bin/openssl', packages: ['openssl'], formula: 'openssl' });
  const make = (args: readonly string[], files: Readonly<Record<string, string>> = {}): Certificate => {
    const folder = mkdtempSync(join(tmpdir(), 'telle-certificates-'));
    try {
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
      execFileSync(openssl.path, ['req', '-x509', ...KEY, '-keyout', 'key', '-out', 'cert', ...args], {
        cwd: folder,
        env: openssl.env,
        stdio: 'ignore',
      });
      return { cert: readFileSync(join(folder, 'cert'), 'utf8'), key: readFileSync(join(folder, 'key'), 'utf8') };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const own = make(['-subj', `/CN=${name}`]);
  return {
    ...own,
    sign: (host) =>
      make(['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-CA', 'ca.cert', '-CAkey', 'ca.key'], {
        'ca.cert': own.cert,
        'ca.key': own.key,
      }),
  };
}
