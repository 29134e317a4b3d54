/** What the scheduler says, a line at a time: for people, or as JSON lines for a log collector. */

export type Level = 'info' | 'warning' | 'error';

export type Log = (
  level: Level,
  event: string,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export function openLog(kind: 'plain' | 'json', say: (line: string) => void): Log {
  return (level, event, message, fields = {}) => {
    const time = new Date().toISOString();
    if (kind === 'json') say(JSON.stringify({ time, level, event, message, ...fields }));
    else say(`${time} ${level === 'info' ? '' : `${level}: `}${message}`);
  };
}
