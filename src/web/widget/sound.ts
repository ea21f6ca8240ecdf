/** Two short notes, for who has opened the chat and looks elsewhere. A browser that lets no page sound stays silent. */
const NOTES = [
  { pitch: 660, at: 0 },
  { pitch: 880, at: 0.12 },
];
const LENGTH = 0.18;
const LOUDNESS = 0.08;

let context: AudioContext | undefined;

export async function ring(): Promise<void> {
  context ??= new AudioContext();
  if (context.state !== 'running') return; // nobody has touched the page yet
  for (const { pitch, at } of NOTES) {
    const from = context.currentTime + at;
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(LOUDNESS, from);
    volume.gain.exponentialRampToValueAtTime(0.001, from + LENGTH);
    tone.connect(volume).connect(context.destination);
    tone.start(from);
    tone.stop(from + LENGTH);
  }
}
