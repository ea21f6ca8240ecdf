/** Addresses of pages, as the dealer may be told of them: without what is a secret between the site and its visitor. */

/** A page that the customer looks at. A type, not an interface: a record may have other fields, too. */
export type Page = { readonly url: string; readonly title: string; readonly referrer: string };

/** Words that a parameter's name has where its value lets somebody in, or says who somebody is. */
const SECRETS =
  /^(access|api|apikey|auth|authorization|code|credential|hash|invite|jwt|key|magic|nonce|otp|pass|passwd|password|pin|pwd|reset|secret|session|sessionid|sid|sig|signature|state|ticket|token|verify)$/i;

const isSecret = (name: string) =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .some((word) => SECRETS.test(word));

/** `?a=1&token=x` without what is secret; as it was where nothing is. */
function cleared(query: string): string {
  const [mark = '', ...rest] = query;
  const kept = rest
    .join('')
    .split('&')
    .filter((each) => !isSecret(decoded(each.split('=')[0] ?? '')));
  return kept.length > 0 ? mark + kept.join('&') : '';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A route that a site keeps behind `#`, as `#/cars/7` or `#!/cars/7`; nothing else there is one. */
function routeOf(hash: string): string {
  const [, path = '', query = ''] = /^(#!?\/[^?]*)(\?.*)?$/.exec(hash) ?? [];
  return path + cleared(query);
}

/** A page as the dealer may be told of it. @param hasHash whether what follows `#` is told: only where it is a route */
export function told({ url, title, referrer }: Page, hasHash: boolean): Page {
  const isHere = new URL(url).origin === originOf(referrer);
  return { url: without(url, hasHash), title, referrer: without(referrer, hasHash && isHere) };
}

const originOf = (address: string) => (URL.canParse(address) ? new URL(address).origin : '');

function without(address: string, hasHash: boolean): string {
  const [, page = '', query = '', hash = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(address) ?? [];
  return page + cleared(query) + (hasHash ? routeOf(hash) : '');
}
