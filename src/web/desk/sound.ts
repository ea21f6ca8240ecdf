/** A sound, made by the browser itself, for who looks at something else. */
import { Shelf } from './shelf.ts';

const shelf = new Shelf('localStorage', 'telle.desk');
const OFF = 'sound-off';

export const isSoundOn = (): boolean => shelf.get(OFF) === null;
export const turnSound = (isOn: boolean): void => shelf.put(OFF, isOn ? '' : 'yes');

/** Two notes: their pitch in Hz, and when each begins, in seconds. */
const NOTES = [
  [660, 0],
  [880, 0.12],
] as const;
const LENGTH = 0.25;
const LOUDNESS = 0.15;

let context: AudioContext | undefined;

/** Rings. A browser may keep a page silent until somebody has clicked in it. */
export function ring(): void {
  if (!isSoundOn() || !('AudioContext' in globalThis)) return;
  context ??= new AudioContext();
  if (context.state === 'suspended') void context.resume().catch(() => {});
  for (const [pitch, delay] of NOTES) play(context, pitch, context.currentTime + delay);
}

function play(on: AudioContext, pitch: number, at: number): void {
  const [tone, volume] = [on.createOscillator(), on.createGain()];
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(LOUDNESS, at);
  volume.gain.exponentialRampToValueAtTime(0.001, at + LENGTH);
  tone.connect(volume).connect(on.destination);
  tone.start(at);
  tone.stop(at + LENGTH);
}
