// Reads a multi-status (RFC 4918 §13) while it arrives. Workers have no DOMParser, and this is faster:
// it only looks at the elements that the page asks for. It counts the depth, so that the owner of a
// lock, which clients write, can't contain members.

export interface Lock { owner: string; until: number }

// A Member is a response of the multi-status.
export interface Member { href: string; status: string; folder: boolean; size: number; time: number; lock: Lock | null }

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const character = (code: number): string => code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
const unescaped = (text: string): string => text.includes('&')
  ? text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex?: string, decimal?: string, name?: string) => hex ? character(parseInt(hex, 16)) : decimal ? character(Number(decimal)) : entities[name!] ?? all)
  : text;

// The last date is remembered, because many files of a collection have the same.
let lastText = '', lastTime = 0;
const timeOf = (text: string): number => {
  if (text !== lastText) { lastTime = Date.parse(text) || 0; lastText = text; }
  return lastTime;
};

// tagEnd returns the position of the > of the tag that begins at from, or -1 if it has not arrived.
const tagEnd = (text: string, from: number): number => {
  if (text.charCodeAt(from + 1) === 33) { // <!
    const close = text.startsWith('<![CDATA[', from) ? ']]>' : text.startsWith('<!--', from) ? '-->' : '>';
    const end = text.indexOf(close, from + 2);
    return end < 0 ? -1 : end + close.length - 1;
  }
  let end = text.indexOf('>', from);
  // A > inside quotes does not end a tag.
  while (end >= 0) {
    const tag = text.slice(from, end);
    if (!tag.includes('=') || !/["']/.test(tag.replace(/"[^"]*"|'[^']*'/g, ''))) break;
    end = text.indexOf('>', end + 1);
  }
  return end;
};

// The depths of the elements: D:response in D:multistatus, D:href or D:propstat in it, a property in
// D:prop, and what D:activelock in D:lockdiscovery contains.
const response = 2, inResponse = 3, property = 5, activeLock = 6, inLock = 7;

// A Scanner is fed with the pieces of a document.
export class Scanner {
  #rest = '';
  #depth = 0;
  #member: Member = this.#empty();
  // The property and the part of a lock that are open.
  #property = '';
  #part = '';
  #owner = '';
  #until = 0;

  #empty(): Member { return { href: '', status: '', folder: false, size: 0, time: 0, lock: null }; }

  // feed returns the members that end in a piece.
  feed(piece: string): Member[] {
    const found: Member[] = [], text = this.#rest + piece;
    let at = 0;
    for (;;) {
      const start = text.indexOf('<', at), end = start < 0 ? -1 : tagEnd(text, start);
      if (end < 0) break;
      if (this.#part === 'D:owner') this.#owner += text.slice(at, start);
      const first = text.charCodeAt(start + 1);
      if (first === 47) { // </
        if (this.#close(text.slice(start + 2, end), text, at, start)) { found.push(this.#member); this.#member = this.#empty(); }
        this.#depth--;
      } else if (first !== 33 && first !== 63) { // <! and <?
        this.#depth++;
        const empty = text.charCodeAt(end - 1) === 47;
        this.#open(text.slice(start + 1, empty ? end - 1 : end));
        if (empty) this.#depth--;
      }
      at = end + 1;
    }
    this.#rest = text.slice(at);
    return found;
  }

  #open(tag: string): void {
    switch (this.#depth) {
      case property: this.#property = tag; break;
      case activeLock:
        if (this.#property === 'D:resourcetype' && tag === 'D:collection') this.#member.folder = true;
        this.#owner = '';
        this.#until = 0;
        break;
      case inLock: if (this.#property === 'D:lockdiscovery') this.#part = tag.replace(/\s.*/s, ''); break;
    }
  }

  // close ends an element whose text is between from and to. It tells whether a member has ended.
  #close(name: string, text: string, from: number, to: number): boolean {
    const member = this.#member;
    switch (this.#depth) {
      case response: return name === 'D:response';
      case inResponse:
        if (name === 'D:href' && !member.href) member.href = unescaped(text.slice(from, to));
        else if (name === 'D:status') member.status = text.slice(from, to);
        break;
      case property:
        if (name === 'D:getcontentlength') member.size = Number(text.slice(from, to)) || 0;
        else if (name === 'D:getlastmodified') member.time = timeOf(text.slice(from, to));
        this.#property = '';
        break;
      case activeLock:
        if (name === 'D:activelock') member.lock = { owner: unescaped(this.#owner).trim(), until: this.#until };
        break;
      case inLock:
        if (name === 'D:timeout') { const seconds = /^Second-(\d+)/.exec(text.slice(from, to)); if (seconds) this.#until = Date.now() + Number(seconds[1]) * 1000; }
        this.#part = '';
        break;
    }
    return false;
  }
}
