/** [P-11.7] `/v1/sessions`: a one-time code becomes a token, and a token ends before its time. */
import { randomUUID } from 'node:crypto';
import type { Static } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import { Nothing } from '../../../schemas/http.ts';
import { Code, CodeRequest, DEFAULT_TTL, SignedIn, SignIn } from '../../../schemas/sessions.ts';
import { ALL_DEALERS } from '../../../schemas/table.ts';
import { makeCode } from '../../auth/codes.ts';
import { bearerOf, secondsFromNow, type Tokens } from '../../auth/tokens.ts';
import { credentialOf, mustBeTaken } from '../../commands/identity.ts';
import { instant } from '../../protocol/encode.ts';
import type { CredentialStore } from '../../store/credentials.ts';
import type { DealerStore } from '../../store/dealers.ts';
import type { Core } from '../core.ts';
import { type Access, authenticate, authenticateServer, sessionAt, sessionOfRequest } from './authenticate.ts';
import type { App } from './http.ts';

/** Parts that sign codes and tokens, and to know them again. */
export interface Signing {
  readonly tokens: Tokens;
  readonly store: CredentialStore & DealerStore;
}

const tags = ['sessions'];

export function sessionRoutes(app: App, core: Access & Signing & Pick<Core, 'revocations'>): void {
  const signIn = {
    tags,
    summary: 'Signs an admin in: exchanges a one-time code for a token',
    description: 'Needs no token. A code is good for a minute, and once.',
    body: SignIn,
    response: { 200: SignedIn },
  };
  const onRequest = (request: FastifyRequest) => core.limits.byAddress(request);
  const config = { errors: ['unauthorized', 'token_expired', 'unknown_dealer'] } as const;
  app.post('/v1/sessions', { onRequest, config, schema: signIn }, ({ body: { code } }) => exchange(core, code));

  const signOut = {
    tags,
    summary: 'Signs out: the token that asks is taken no more',
    description: 'Sockets that joined with it are closed with 4401, on every node within two seconds.',
    response: { 204: Nothing },
  };
  app.delete('/v1/sessions', { onRequest: authenticate(core), schema: signOut }, async (request, reply) => {
    await end(core, bearerOf(request.headers.authorization) ?? '');
    return reply.code(204).send();
  });

  const make = {
    tags,
    summary: 'Makes a code that signs an admin in, for a link to the desk: /desk#code=…',
    body: CodeRequest,
    response: { 200: Code },
  };
  const server = { onRequest: authenticateServer(core), config: { errors: ['unknown_dealer'] }, schema: make } as const;
  app.post('/v1/sessions/codes', server, (request) => {
    const { dealerId = sessionOfRequest(request).dealerId, adminId, ttl } = request.body;
    if (dealerId === ALL_DEALERS) throw refused('invalid_payload', 'dealerId: required of a server of all dealers');
    sessionAt(request, dealerId);
    return codeFor(core, dealerId, adminId, ttl);
  });
}

/**
 * A code for an admin of a dealer.
 * @param ttl for how many seconds its token will hold
 * @throws RefusedError `unknown_dealer`
 */
export async function codeFor(
  { store, tokens }: Signing,
  dealer: string,
  sub: string,
  ttl = DEFAULT_TTL,
): Promise<Code> {
  if (!(await store.dealer(dealer))) throw refused('unknown_dealer', 'there is no such dealer');
  const { current: gen } = await store.generation({ role: 'admin', dealer, sub });
  const { code, expiresAt } = makeCode(tokens, { dealer, sub, gen }, ttl);
  return { code, expiresAt: instant(expiresAt) };
}

/** @throws RefusedError `unauthorized` for what is no code or was exchanged, `token_expired`, `unknown_dealer` */
async function exchange({ store, tokens }: Signing, code: string): Promise<Static<typeof SignedIn>> {
  const verified = await tokens.verifyCode(code);
  const { claims, tokenId, ttl } = verified;
  if (tokenId === undefined || ttl === undefined) throw refused('unauthorized', 'this is no code');
  await mustBeTaken(store, credentialOf(verified));
  if (!(await store.dealer(claims.dealer))) throw refused('unknown_dealer', 'there is no such dealer');
  // No socket has joined with it: nobody need be told.
  if (!(await store.spend(claims.dealer, tokenId, claims.exp * 1000))) {
    throw refused('unauthorized', 'the code was exchanged before');
  }
  // Of the code's own generation: what is revoked meanwhile takes the token, too.
  const exp = secondsFromNow(ttl);
  return { token: tokens.sign({ ...claims, exp }, { tokenId: randomUUID() }), expiresAt: instant(exp * 1000) };
}

/** @throws RefusedError `invalid_payload` where the token has no name of its own */
async function end({ tokens, revocations }: Pick<Core, 'tokens' | 'revocations'>, token: string): Promise<void> {
  const { claims, tokenId } = await tokens.verify(token);
  if (tokenId === undefined) {
    throw refused('invalid_payload', 'this token has no jti, by which it could end alone: it holds until its exp');
  }
  await revocations.spend(claims.dealer, tokenId, claims.exp * 1000);
}
