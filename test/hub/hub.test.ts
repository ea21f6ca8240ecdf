import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Audience, Hub, type Seat } from '../../src/hub/hub.ts';
import type { Publication } from '../../src/hub/publication.ts';
import { CREDENTIAL, TestPeer } from '../support/peers.ts';

const MAX_BACKLOG = 1000;

const customer = (groupId: string, dealerId = 'd1'): Audience => ({ role: 'customer', dealerId, groupId });
const admin = (dealerId = 'd1'): Audience => ({ role: 'admin', dealerId });
const server = (dealerId = 'd1'): Audience => ({ role: 'server', dealerId });

const publication = (scope: string, seq: number | null, more: Partial<Publication> = {}): Publication => ({
  type: 'CHAT_MSG',
  dealerId: 'd1',
  groupId: 'g1',
  scope,
  seq,
  at: seq,
  frame: `${scope}:${seq}`,
  answer: null,
  ...more,
});

/** A publication of so many bytes. */
const large = (seq: number, bytes: number) => publication('g1', seq, { frame: 'x'.repeat(bytes) });

/** Seats a peer and opens it at once. */
function seat(hub: Hub, audience: Audience, floors: Record<string, number> = {}): { peer: TestPeer; seat: Seat } {
  const peer = new TestPeer();
  const taken = hub.enter(audience, peer, CREDENTIAL);
  hub.open(taken, new Map(Object.entries(floors)));
  return { peer, seat: taken };
}

/** Everybody who might hear something, of two dealers. */
function crowd(hub: Hub) {
  const audiences = {
    'customer of g1': customer('g1'),
    'second socket of g1': customer('g1'),
    'customer of g2': customer('g2'),
    'admin of d1': admin(),
    'server of d1': server(),
    'server of all': server('*'),
    'customer of d2': customer('g1', 'd2'),
    'admin of d2': admin('d2'),
  };
  return Object.entries(audiences).map(([name, audience]) => ({ name, peer: seat(hub, audience).peer }));
}

const whoHeard = (people: ReturnType<typeof crowd>) =>
  people.flatMap(({ name, peer }) => (peer.texts.length > 0 ? [name] : []));

describe('the hub', () => {
  it('brings a group’s event to its customer’s sockets, and to the dealer’s admins and servers [P-7]', () => {
    const hub = new Hub(MAX_BACKLOG);
    const people = crowd(hub);
    hub.deliver(publication('g1', 1));
    const expected = ['customer of g1', 'second socket of g1', 'admin of d1', 'server of d1', 'server of all'];
    assert.deepEqual(whoHeard(people), expected);
  });

  it('brings an announcement to everybody of the dealer, and to nobody of another', () => {
    const hub = new Hub(MAX_BACKLOG);
    const people = crowd(hub);
    hub.deliver(publication('@dealer', 1));
    assert.deepEqual(
      whoHeard(people),
      people.map(({ name }) => name).filter((name) => !name.endsWith('d2')),
    );
  });

  it('brings what is for the desk to admins and servers, and to no customer', () => {
    const hub = new Hub(MAX_BACKLOG);
    const people = crowd(hub);
    hub.deliver(publication('@desk', 1));
    assert.deepEqual(whoHeard(people), ['admin of d1', 'server of d1', 'server of all']);
  });

  it('brings an event of a dealer that nobody is at to servers of all dealers alone', () => {
    const hub = new Hub(MAX_BACKLOG);
    const people = crowd(hub);
    hub.deliver(publication('g1', 1, { dealerId: 'd3' }));
    assert.deepEqual(whoHeard(people), ['server of all']);
  });

  it('gives every receiver the same frame, once', () => {
    const hub = new Hub(MAX_BACKLOG);
    const people = crowd(hub);
    const event = publication('g1', 1);
    hub.deliver(event);
    const heard = people.filter(({ peer }) => peer.texts.length > 0);
    assert.equal(heard.length, 5);
    for (const { peer } of heard) assert.deepEqual(peer.texts, [event.frame]);
  });

  describe('before a seat is opened', () => {
    it('holds everything back, and hands it over in order when it is', () => {
      const hub = new Hub(MAX_BACKLOG);
      const peer = new TestPeer();
      const seat = hub.enter(customer('g1'), peer, CREDENTIAL);
      hub.deliver(publication('g1', 1));
      hub.deliver(publication('@dealer', 1));
      hub.deliver(publication('g1', null));
      hub.deliver(publication('g1', 2));
      assert.deepEqual(peer.texts, []);
      hub.open(seat, new Map());
      assert.deepEqual(peer.texts, ['g1:1', '@dealer:1', 'g1:null', 'g1:2']);
      hub.deliver(publication('g1', 3));
      assert.equal(peer.texts.at(-1), 'g1:3');
    });

    it('drops a socket that has more held for it than the backlog allows, and hands over none of it', () => {
      const hub = new Hub(MAX_BACKLOG);
      const peer = new TestPeer();
      const seat = hub.enter(customer('g1'), peer, CREDENTIAL);
      hub.deliver(large(1, 600));
      assert.equal(peer.closes.length, 0);
      hub.deliver(large(2, 600));
      assert.equal(peer.closes[0]?.code, 4508);
      hub.open(seat, new Map());
      assert.deepEqual(peer.texts, []);
    });
  });

  describe('floors', () => {
    it('keep back what is at or below the floor of its scope, held or live', () => {
      const hub = new Hub(MAX_BACKLOG);
      const peer = new TestPeer();
      const seat = hub.enter(customer('g1'), peer, CREDENTIAL);
      for (const seq of [4, 5, 6]) hub.deliver(publication('g1', seq));
      hub.open(seat, new Map([['g1', 5]]));
      assert.deepEqual(peer.texts, ['g1:6']);
      hub.deliver(publication('g1', 5));
      hub.deliver(publication('g1', 7));
      assert.deepEqual(peer.texts, ['g1:6', 'g1:7']);
    });

    it('are each scope’s own', () => {
      const hub = new Hub(MAX_BACKLOG);
      const { peer } = seat(hub, admin(), { g1: 5, '@dealer': 1 });
      hub.deliver(publication('g2', 1));
      hub.deliver(publication('g1', 5));
      hub.deliver(publication('@dealer', 2));
      hub.deliver(publication('@desk', 1));
      assert.deepEqual(peer.texts, ['g2:1', '@dealer:2', '@desk:1']);
    });

    it('let through what has no seq', () => {
      const hub = new Hub(MAX_BACKLOG);
      const { peer } = seat(hub, customer('g1'), { g1: 5 });
      hub.deliver(publication('g1', null));
      assert.deepEqual(peer.texts, ['g1:null']);
    });
  });

  describe('an answer', () => {
    it('stands in the place of the event for the socket that spoke, and for it alone [P-7]', () => {
      const hub = new Hub(MAX_BACKLOG);
      const speaker = seat(hub, customer('g1')).peer;
      const sameCustomer = seat(hub, customer('g1')).peer;
      const agent = seat(hub, admin()).peer;
      hub.deliver(publication('g1', 1));
      hub.deliver(publication('g1', 2, { answer: { peer: speaker, frame: 'ack 2' } }));
      hub.deliver(publication('g1', 3));
      assert.deepEqual(speaker.texts, ['g1:1', 'ack 2', 'g1:3']);
      assert.deepEqual(sameCustomer.texts, ['g1:1', 'g1:2', 'g1:3']);
      assert.deepEqual(agent.texts, ['g1:1', 'g1:2', 'g1:3']);
    });

    it('reaches a socket that may not see the event itself', () => {
      const hub = new Hub(MAX_BACKLOG);
      const speaker = seat(hub, customer('g1')).peer;
      hub.deliver(publication('@desk', 1, { answer: { peer: speaker, frame: 'ack' } }));
      assert.deepEqual(speaker.texts, ['ack']);
    });

    it('reaches a socket whose floor is above the event', () => {
      const hub = new Hub(MAX_BACKLOG);
      const speaker = seat(hub, customer('g1'), { g1: 9 }).peer;
      hub.deliver(publication('g1', 1, { answer: { peer: speaker, frame: 'ack' } }));
      assert.deepEqual(speaker.texts, ['ack']);
    });

    it('of none keeps the event from the socket that spoke, and gives it nothing', () => {
      const hub = new Hub(MAX_BACKLOG);
      const speaker = seat(hub, customer('g1')).peer;
      const agent = seat(hub, admin()).peer;
      hub.deliver(publication('g1', null, { answer: { peer: speaker, frame: null } }));
      assert.deepEqual(speaker.texts, []);
      assert.deepEqual(agent.texts, ['g1:null']);
    });
  });

  describe('after leave', () => {
    it('a socket hears nothing more, and the others of its group do', () => {
      const hub = new Hub(MAX_BACKLOG);
      const gone = seat(hub, customer('g1'));
      const stays = seat(hub, customer('g1'));
      hub.leave(gone.seat);
      for (const scope of ['g1', '@dealer']) hub.deliver(publication(scope, 1));
      assert.deepEqual(gone.peer.texts, []);
      assert.deepEqual(stays.peer.texts, ['g1:1', '@dealer:1']);
    });

    it('of admins and of servers of all dealers the same holds', () => {
      const hub = new Hub(MAX_BACKLOG);
      const gone = [seat(hub, admin()), seat(hub, server('*'))];
      const stays = seat(hub, server());
      for (const { seat } of gone) hub.leave(seat);
      hub.deliver(publication('@desk', 1));
      assert.deepEqual(
        gone.flatMap(({ peer }) => peer.texts),
        [],
      );
      assert.deepEqual(stays.peer.texts, ['@desk:1']);
    });

    it('it is said whether that was the dealer’s last socket here', () => {
      const hub = new Hub(MAX_BACKLOG);
      const [one, two, agent] = [seat(hub, customer('g1')), seat(hub, customer('g2')), seat(hub, admin())];
      const other = seat(hub, customer('g1', 'd2'));
      const everywhere = [seat(hub, server('*')), seat(hub, server('*'))];
      const last = [one, agent, two, other, ...everywhere].map(({ seat }) => hub.leave(seat));
      assert.deepEqual(last, [false, false, true, true, false, true]);
    });

    it('a second leave changes nothing, and the seat can be taken again', () => {
      const hub = new Hub(MAX_BACKLOG);
      const gone = seat(hub, customer('g1'));
      hub.leave(gone.seat);
      const again = seat(hub, customer('g1'));
      hub.leave(gone.seat);
      hub.deliver(publication('g1', 1));
      assert.deepEqual(again.peer.texts, ['g1:1']);
    });
  });

  describe('close', () => {
    it('closes every socket of one dealer, and no other', () => {
      const hub = new Hub(MAX_BACKLOG);
      const people = crowd(hub);
      hub.close(4404, 'the dealer was removed', 'd1');
      const closed = people.filter(({ peer }) => peer.closes.length > 0);
      assert.deepEqual(
        closed.map(({ name }) => name),
        ['customer of g1', 'second socket of g1', 'customer of g2', 'admin of d1', 'server of d1'],
      );
      for (const { peer } of closed) assert.deepEqual(peer.closes, [{ code: 4404, reason: 'the dealer was removed' }]);
      hub.close(4404, 'there is no such dealer', 'd3');
    });

    it('closes everybody where no dealer is named', () => {
      const hub = new Hub(MAX_BACKLOG);
      const people = crowd(hub);
      hub.close(1012, 'service restart');
      for (const { peer } of people) assert.deepEqual(peer.closes, [{ code: 1012, reason: 'service restart' }]);
    });
  });
});
