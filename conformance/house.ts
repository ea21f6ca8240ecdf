/** The house that the cases visit: a dealer on the server that is tested, its people, and how it is left clean. */
import { randomUUID } from 'node:crypto';
import { type Claims, minted, signed } from './tokens.ts';

export interface Access {
  /** `ws://…` or `wss://…` */
  readonly url: string;
  /** The server's AUTH_SECRET: with it, every token is made as it is needed. */
  readonly secret?: string | undefined;
  /** A dealer that there is; else one is made, and removed afterwards. */
  readonly dealer?: string | undefined;
  /** Tokens of that dealer, in place of the secret. */
  readonly adminToken?: string | undefined;
  readonly serverToken?: string | undefined;
}

/** Something that this run was not given: what needs it is not run. */
export class MissingError extends Error {}

/** Something that this run has made is still on the server. */
export class LeftError extends Error {}

export class House {
  readonly access: Access;
  readonly dealer: string;
  /** Time that anything may take, in ms. */
  readonly patience: number;
  readonly #groups = new Set<string>();
  /** Dealers that were made on the server, and go again. */
  readonly #dealers: string[] = [];

  constructor(access: Access, patience: number) {
    this.access = access;
    this.patience = patience;
    this.dealer = access.dealer ?? `conformance-${randomUUID()}`;
  }

  /** A name of a group that there is not yet; what it leaves on the server goes at the end. */
  group(name: string = randomUUID()): string {
    this.#groups.add(name);
    return name;
  }

  get secret(): string {
    const { secret } = this.access;
    if (secret === undefined) throw new MissingError("needs the server's secret");
    return secret;
  }

  token(role: Claims['role'], sub: string, { dealer = this.dealer, ttl = 600 } = {}): string {
    return minted(this.secret, { role, dealer, sub }, ttl);
  }

  /** A token with these claims instead of good ones, or another header. */
  forged(claims: object, header?: { alg: string; typ: string }, secret = this.secret): string {
    return signed(secret, { dealer: this.dealer, ...claims }, header);
  }

  /** Where HTTP [P-11] is: beside the socket. */
  async http(method: string, path: string, token: string, body?: object): Promise<Response> {
    const base = new URL('.', this.access.url.replace(/^ws/i, 'http'));
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
    return fetch(new URL(path.replace(/^\//, ''), base), {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** A server's token, of all dealers. */
  get #master(): string {
    return this.token('server', 'conformance', { dealer: '*' });
  }

  /** Makes a dealer. @throws MissingError where the server has no HTTP for it */
  async makeDealer(dealer: string, settings: object = {}): Promise<string> {
    const { status } = await this.http('PUT', `/v1/dealers/${dealer}`, this.#master, { origins: ['*'], ...settings });
    if (status !== 201) throw new MissingError(`needs a dealer of its own: PUT /v1/dealers answered ${status}`);
    this.#dealers.push(dealer);
    return dealer;
  }

  /** @returns the status: 404 where it is gone already */
  async removeDealer(dealer: string): Promise<number> {
    return (await this.http('DELETE', `/v1/dealers/${dealer}`, this.#master)).status;
  }

  async erase(group: string): Promise<number> {
    const path = `/v1/dealers/${this.dealer}/groups/${encodeURIComponent(group)}`;
    return (await this.http('DELETE', path, this.serverToken())).status;
  }

  /** Takes away what the run has made. @throws LeftError */
  async leave(): Promise<void> {
    const left: string[] = [];
    const tryTo = async (what: string, remove: () => Promise<number>) => {
      const status = await remove().catch(() => 0);
      if (status !== 404 && (status < 200 || status > 299)) left.push(what);
    };
    for (const dealer of this.#dealers) await tryTo(`dealer ${dealer}`, () => this.removeDealer(dealer));
    const erases = !this.#dealers.includes(this.dealer) && (this.access.secret ?? this.access.serverToken);
    if (erases) for (const group of this.#groups) await tryTo(`group ${group}`, () => this.erase(group));
    if (left.length > 0) throw new LeftError(`could not be removed again: ${left.join(', ')}`);
  }

  adminToken(adminId = 'alice'): string {
    if (this.access.secret !== undefined) return this.token('admin', adminId);
    if (this.access.adminToken !== undefined) return this.access.adminToken;
    throw new MissingError("needs the server's secret, or an admin's token");
  }

  serverToken(): string {
    if (this.access.secret !== undefined) return this.token('server', 'crm');
    if (this.access.serverToken !== undefined) return this.access.serverToken;
    throw new MissingError("needs the server's secret, or a server's token");
  }
}
