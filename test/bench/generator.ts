/** The load generator, in a process of its own: told what to do by messages, it answers with what it measured. */
import { cpuOf } from './cpu.ts';
import { DIALECTS, type Dialect, type Kind, type Member } from './dialect.ts';
import { Line } from './line.ts';
import type { Answers, Crew, Fill, Load, Open, Opened, Order, Pace, Paced, Storm } from './orders.ts';
import { Template } from './wire.ts';

/** How many sockets may be between their connect and their join. */
const ABREAST = 200;
/** After which something that has to come is taken for lost, in ms. */
const PATIENCE = 30_000;
/** How long nothing may come for a crew to count as settled, in ms. */
const QUIET = 100;
const ID = '"m-';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function crewOf({ ports, dealers, groups, admins }: Crew): Member[] {
  const port = (index: number) => ports[index % ports.length] ?? 0;
  return Array.from({ length: dealers }, (_, dealer): Member[] => {
    const dealerId = `d${dealer}`;
    const customers = Array.from({ length: groups }, (_, group) => {
      return { role: 'customer' as const, dealerId, id: `g${dealer}-${group}`, port: port(dealer + group) };
    });
    return admins ? [{ role: 'admin', dealerId, id: 'a1', port: port(dealer) }, ...customers] : customers;
  }).flat();
}

class Generator {
  #dialect: Dialect = DIALECTS.envelopes;
  #lines: Line[] = [];
  readonly #faults: string[] = [];
  #joined = 0;
  #frames = 0;
  #sent = 0;
  #acks = 0;
  #deliveries = 0;
  /** What is done with the next frame and turn: it changes with each order. */
  #onFrame: (line: Line, kind: Kind, bytes: Buffer, start: number) => void = () => {};
  #onTurn: (line: Line) => void = () => {};
  #templates = new Map<Member['role'], Template>();
  readonly #listener = {
    frame: (line: Line, kind: Kind, bytes: Buffer, start: number, end: number) => {
      this.#frames += 1;
      if (kind === 'ack') this.#acks += 1;
      else if (kind === 'event') this.#deliveries += 1;
      else if (kind === 'joined') this.#joined += 1;
      else if (kind === 'error') this.#faults.push(bytes.toString('utf8', start, end));
      this.#onFrame(line, kind, bytes, start);
    },
    turn: (line: Line) => this.#onTurn(line),
    gone: (line: Line, why: string) => this.#faults.push(`${line.member.role} ${line.member.id}: ${why}`),
  };

  async open({ dialect, ...crew }: Open): Promise<Opened> {
    this.#dialect = DIALECTS[dialect];
    for (const role of ['customer', 'admin'] as const) {
      this.#templates.set(role, new Template(this.#dialect.message(role)));
    }
    const members = crewOf(crew);
    const from = performance.now();
    await this.#join(members, ABREAST);
    const seconds = (performance.now() - from) / 1000;
    await this.#settled();
    return { sockets: members.length, seconds };
  }

  async #join(members: readonly Member[], abreast: number): Promise<void> {
    this.#joined = 0;
    const next = () => {
      while (this.#lines.length < members.length && this.#lines.length - this.#joined < abreast) {
        const member = members[this.#lines.length];
        if (member) this.#lines.push(new Line(member, this.#dialect, this.#listener));
      }
    };
    this.#onTurn = next;
    next();
    await this.#until('joins', () => this.#joined === members.length);
    this.#onTurn = () => {};
  }

  async load({ from, inFlight, warmup, window, pids }: Load): Promise<Answers['load']> {
    this.#restart();
    const senders = this.#of(from);
    const fan = this.#fanOf(from);
    const done = () => (fan === 0 ? this.#acks : Math.min(this.#acks, Math.floor(this.#deliveries / fan)));
    let isOver = false;
    this.#onFrame = (line, kind) => {
      if (kind === 'ack') line.credit += 1;
    };
    const refill = (line: Line) => {
      if (!isOver && line.credit > 0) this.#send(line, line.credit);
    };
    // What goes to a crowd is done when the last of them has it.
    const [first] = senders;
    const refillWhole = () => {
      const room = inFlight - (this.#sent - done());
      if (!isOver && first && room > 0) this.#send(first, room);
    };
    this.#onTurn = from === 'admin' ? refillWhole : refill;
    for (const line of senders) {
      line.credit = inFlight;
      this.#send(line, inFlight);
    }
    await sleep(warmup * 1000);
    const measured = () => ({
      done: done(),
      at: performance.now(),
      server: pids.reduce((sum, pid) => sum + cpuOf(pid), 0),
      own: process.cpuUsage(),
    });
    const before = measured();
    await sleep(window * 1000);
    const after = measured();
    const own = process.cpuUsage(before.own);
    isOver = true;
    await this.#drained(fan);
    if (after.done === before.done) throw new Error('not a message was done in the time that is measured');
    const seconds = (after.at - before.at) / 1000;
    return {
      messages: after.done - before.done,
      seconds,
      serverCpu: after.server - before.server,
      ownShare: (own.user + own.system) / 1e6 / seconds,
    };
  }

  async pace({ perSecond, warmup, window }: Pace): Promise<Paced> {
    this.#restart();
    const senders = this.#of('customer');
    const [skipped, total] = [Math.floor(perSecond * warmup), Math.floor(perSecond * (warmup + window))];
    const sentAt = new Float64Array(total);
    const [acks, deliveries, across]: [number[], number[], number[]] = [[], [], []];
    const origin = this.#numbered;
    this.#onFrame = (line, kind, bytes, start) => {
      if (kind !== 'ack' && kind !== 'event') return;
      const at = bytes.indexOf(ID, start, 'latin1') + ID.length;
      const number = Number(bytes.toString('latin1', at, at + 8)) - origin;
      if (number < skipped) return;
      const took = performance.now() - (sentAt[number] ?? Number.NaN);
      if (kind === 'ack') acks.push(took);
      else deliveries.push(took);
      if (kind === 'event' && senders[number % senders.length]?.member.port !== line.member.port) across.push(took);
    };
    this.#onTurn = () => {};
    const from = performance.now();
    const own = process.cpuUsage();
    while (this.#sent < total) {
      const now = performance.now();
      const due = Math.min(total, Math.ceil(((now - from) / 1000) * perSecond));
      while (this.#sent < due) {
        const line = senders[this.#sent % senders.length];
        sentAt[this.#sent] = performance.now();
        if (line) this.#send(line, 1);
      }
      await sleep(1);
    }
    const seconds = (performance.now() - from) / 1000;
    const { user, system } = process.cpuUsage(own);
    await this.#drained(this.#fanOf('customer'));
    return {
      acks,
      deliveries,
      across,
      perSecond: total / seconds,
      ownShare: (user + system) / 1e6 / seconds,
    };
  }

  async fill({ each }: Fill): Promise<Answers['fill']> {
    this.#restart();
    const senders = this.#of('customer');
    this.#onFrame = (line, kind) => {
      if (kind === 'ack') line.credit += 1;
    };
    this.#onTurn = (line) => this.#send(line, Math.min(line.credit, each - line.sent));
    const from = performance.now();
    for (const line of senders) {
      line.credit = 1;
      this.#send(line, 1);
    }
    await this.#until('acks', () => this.#acks === each * senders.length);
    await this.#drained(this.#fanOf('customer'));
    return { seconds: (performance.now() - from) / 1000 };
  }

  async storm({ missed }: Storm): Promise<Answers['storm']> {
    const members = this.#of('customer').map(({ member }) => {
      return { ...member, since: 0 };
    });
    for (const line of this.#lines) line.cut();
    this.#lines = [];
    this.#restart();
    const from = performance.now();
    await this.#join(members, members.length);
    await this.#until('what was missed', () => this.#deliveries >= missed * members.length);
    const seconds = (performance.now() - from) / 1000;
    await this.#settled();
    this.#check('deliveries', this.#deliveries, missed * members.length);
    return { seconds };
  }

  #of(role: Member['role']): Line[] {
    return this.#lines.filter(({ member }) => member.role === role);
  }

  /** How many get a message of such a sender, besides its ack. */
  #fanOf(from: Member['role']): number {
    if (from === 'admin') return this.#of('customer').length;
    return this.#of('admin').length > 0 ? 1 : 0;
  }

  /** Messages of all orders: each has a number of its own. */
  #numbered = 0;

  #send(line: Line, count: number): void {
    const template = this.#templates.get(line.member.role);
    if (!template || count <= 0) return;
    const bytes = Buffer.allocUnsafe(template.length * count);
    let at = 0;
    for (let n = 0; n < count; n += 1) at = template.write(bytes, at, this.#numbered++);
    line.credit -= count;
    line.sent += count;
    this.#sent += count;
    line.write(bytes);
  }

  #restart(): void {
    [this.#sent, this.#acks, this.#deliveries] = [0, 0, 0];
    for (const line of this.#lines) [line.credit, line.sent] = [0, 0];
  }

  /** Waits for every ack and delivery, and holds their counts to what was sent. */
  async #drained(fan: number): Promise<void> {
    await this.#until('acks and deliveries', () => this.#acks >= this.#sent && this.#deliveries >= this.#sent * fan);
    await this.#settled();
    this.#check('acks', this.#acks, this.#sent);
    this.#check('deliveries', this.#deliveries, this.#sent * fan);
  }

  #check(what: string, got: number, wanted: number): void {
    if (got !== wanted) throw new Error(`${got} ${what}, where ${wanted} were due`);
  }

  /** Waits until nothing comes any more. */
  async #settled(): Promise<void> {
    for (let seen = -1; seen !== this.#frames; await sleep(QUIET)) seen = this.#frames;
    this.#checkFaults();
  }

  #checkFaults(): void {
    if (this.#faults.length > 0)
      throw new Error(`${this.#faults.length} faults: ${this.#faults.slice(0, 3).join('; ')}`);
  }

  /** Waits for something that has to come; it may take long as long as something comes at all. */
  async #until(what: string, isThere: () => boolean): Promise<void> {
    let [seen, at] = [this.#frames, performance.now()];
    while (!isThere()) {
      this.#checkFaults();
      if (this.#frames !== seen) [seen, at] = [this.#frames, performance.now()];
      if (performance.now() - at > PATIENCE) {
        throw new Error(`no ${what}: ${this.#sent} sent, ${this.#acks} acks, ${this.#deliveries} deliveries`);
      }
      await sleep(5);
    }
  }
}

const generator = new Generator();
process.on('message', async (order: Order) => {
  try {
    const answer = await perform(order);
    process.send?.({ answer });
  } catch (error) {
    process.send?.({ fault: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit());

function perform(order: Order): Promise<Answers[Order['do']]> {
  switch (order.do) {
    case 'open':
      return generator.open(order);
    case 'load':
      return generator.load(order);
    case 'pace':
      return generator.pace(order);
    case 'fill':
      return generator.fill(order);
    case 'storm':
      return generator.storm(order);
  }
}
