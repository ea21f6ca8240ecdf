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

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export interface Authority extends Certificate {
  /** Signs one for a host, for so many days. */
  sign(host: string, days?: number): Certificate;
}

const openssl = () => programOf({ binary: 'usr/bin/openssl', packages: ['openssl'], formula: 'openssl' });

/** Runs commands of openssl's, which make `cert` and `key`, in a folder with these files. */
function make(commands: readonly (readonly string[])[], files: Readonly<Record<string, string>> = {}): Certificate {
  const { path, env } = openssl();
  const folder = mkdtempSync(join(tmpdir(), 'telle-certificates-'));
  try {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    for (const args of commands) execFileSync(path, args, { cwd: folder, env, stdio: 'ignore' });
    return { cert: readFileSync(join(folder, 'cert'), 'utf8'), key: readFileSync(join(folder, 'key'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const selfSigned = (args: readonly string[]) => ['req', '-x509', ...KEY, '-keyout', 'key', '-out', 'cert', ...args];

export function makeAuthority(name = 'an authority of a test'): Authority {
  const own = make([selfSigned(['-days', '2', '-subj', `/CN=${name}`])]);
  return {
    ...own,
    sign(host, days = 2) {
      const named = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
      const args = [...named, '-days', String(days), '-CA', 'ca.cert', '-CAkey', 'ca.key'];
      return make([selfSigned(args)], { 'ca.cert': own.cert, 'ca.key': own.key });
    },
  };
}

/** A certificate that held in January 2020, or in January 2120. */
export function makeUntimely(year: 2020 | 2120): Certificate {
  const files = {
    'index.txt': '',
    config:
      '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n',
  };
  const held = ['-startdate', `${year}0101000000Z`, '-enddate', `${year}0201000000Z`];
  return make(
    [
      ['req', '-new', ...KEY, '-keyout', 'key', '-out', 'request', '-subj', '/CN=localhost'],
      [
        'ca',
        '-config',
        'config',
        '-selfsign',
        '-batch',
        '-keyfile',
        'key',
        '-in',
        'request',
        '-out',
        'cert',
        '-notext',
        ...held,
      ],
    ],
    files,
  );
}
