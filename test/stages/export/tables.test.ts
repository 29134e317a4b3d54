import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { classTfIdf } from '../../../pipeline/math/class-tf-idf.ts';
import { minEntityDocuments, section } from '../../../stages/export/config.ts';
import { listCell, numberCell, textCell } from '../../../stages/export/csv-table.ts';
import { stage } from '../../../stages/export/stage.ts';
import { documents, entityList, exported, inputOf, jobOf, tableOf } from './input.ts';

const everything = { min_entity_documents: 1, min_topic_entity_documents: 1 } as const;
const files = await exported(inputOf(documents), everything);

describe('cells', () => {
  it('text that a spreadsheet would run gets an apostrophe in front', () => {
    for (const start of ['=', '+', '-', '@', '\t', '\u{ff1d}'])
      expect(textCell(`${start}1`)).toBe(`'${start}1`);
    expect(textCell('\r1')).toBe('"\'\r1"');
    expect(textCell('a=1')).toBe('a=1');
  });

  it('quotes, commas and line ends are quoted, nothing else is', () => {
    expect(textCell('a "b", c')).toBe('"a ""b"", c"');
    expect(textCell('a\nb')).toBe('"a\nb"');
    expect(textCell("a; b 'c'")).toBe("a; b 'c'");
  });

  it('splitting a list at "; " gives back as many items as went in', () => {
    const items = ['a; b', 'c;', ';', ' d', 'e;;  f', 'g'];
    const [[cell]] = parse(listCell(items)) as string[][];
    expect(cell.split('; ')).toEqual(['a, b', 'c;', ';', ' d', 'e;,  f', 'g']);
    expect(listCell(['=a', 'b'])).toBe("'=a; b");
    expect(listCell([])).toBe('');
  });

  it('numbers keep their sign, have fixed decimals and are empty where there is none', () => {
    expect(numberCell(-1.5, 4)).toBe('-1.5000');
    expect(numberCell(-0.00001, 4)).toBe('0.0000');
    expect(numberCell(0, 6)).toBe('0.000000');
    expect(numberCell(1e-7, 6)).toBe('0.000000');
    expect(numberCell(Number.NaN, 4)).toBe('');
  });
});

describe('tables', () => {
  it('have the public columns in their order, CRLF line ends and no byte-order mark', () => {
    const headers: Record<string, string> = {
      'topics.csv':
        'topic_id,label,size,share,top_terms,top_methods,top_tasks,top_materials,top_metrics,representative_documents,x,y,coherence',
      'documents.csv': 'id,title,year,topic_id,topic_label,probability,x,y,distance_to_center,entities',
      'punchcard_topic_year.csv': 'topic_id,label,year,documents,topic_share,year_share',
      'punchcard_entity_year.csv': 'entity,type,year,documents,mentions,entity_share,year_share',
      'punchcard_topic_entity.csv': 'topic_id,label,entity,type,documents,mentions,weight',
      'topic_events.csv': 'run_id,event,topic_id,from_topic_ids,reason',
    };
    for (const [name, header] of Object.entries(headers)) {
      expect(files.get(name)?.startsWith(`${header}\r\n`)).toBe(true);
      expect(files.get(name)?.endsWith('\r\n')).toBe(true);
    }
    expect([...files.keys()].sort()).toEqual([...Object.keys(headers), 'report.html'].sort());
  });

  it('topics.csv tells sizes, terms, entities by type and representative documents', () => {
    expect(tableOf(files, 'topics.csv').slice(1)).toEqual([
      // Tasks start with the topic's own terms; "parsing" is not "chart Parsing".
      [
        '3',
        'Parsing',
        '3',
        '0.428571',
        'a, b; chart Parsing',
        'attention',
        'chart Parsing; parsing',
        '',
        '',
        'd1; d2',
        '0.0000',
        '-1.5000',
        '-0.2500',
      ],
      [
        '8',
        '\'+attention <i>&</i> "BLEU"',
        '3',
        '0.428571',
        'attention; heads',
        'attention',
        '',
        "'=SUM(A1), total",
        'BLEU',
        'd4; d5',
        '5.0000',
        '5.0000',
        '-0.2500',
      ],
    ]);
  });

  it('documents.csv tells each document, by id, with its entities most mentioned first', () => {
    const rows = tableOf(files, 'documents.csv').slice(1);
    const label = '\'+attention <i>&</i> "BLEU"';
    expect(rows).toEqual([
      [
        'd1',
        'Parsing, "fast"',
        '2001',
        '3',
        'Parsing',
        '0.7500',
        '0.0000',
        '0.0000',
        '0.1250',
        'parsing; attention',
      ],
      // "approach" is generic.
      ['d2', "'-1 is <b>cold</b>", '2001', '3', 'Parsing', '0.7500', '0.5000', '0.0000', '0.1250', 'parsing'],
      ['d3', 'two\nlines', '2002', '3', 'Parsing', '0.7500', '0.0000', '0.5000', '0.1250', 'parsing'],
      // Both types of "attention" are one name, three times mentioned.
      [
        'd4',
        'Attention',
        '2002',
        '8',
        label,
        '0.7500',
        '5.0000',
        '5.0000',
        '0.1250',
        'attention; =SUM(A1), total; BLEU',
      ],
      ['d5', "'@home & away", '2004', '8', label, '0.7500', '5.0000', '5.5000', '0.1250', 'BLEU; attention'],
      ['d6', 'Undated', '', '8', label, '0.7500', '5.5000', '5.0000', '0.1250', 'attention'],
      ['d7', 'Alone', '2004', '-1', '', '0.0000', '2.0000', '2.0000', '', 'BLEU; parsing'],
    ]);
  });

  it('punchcard_topic_year.csv has every year of the corpus and leaves out outliers and undated documents', () => {
    const label = '\'+attention <i>&</i> "BLEU"';
    expect(tableOf(files, 'punchcard_topic_year.csv').slice(1)).toEqual([
      ['3', 'Parsing', '2001', '2', '0.666667', '1.000000'],
      ['3', 'Parsing', '2002', '1', '0.333333', '0.500000'],
      ['3', 'Parsing', '2003', '0', '0.000000', '0.000000'],
      ['3', 'Parsing', '2004', '0', '0.000000', '0.000000'],
      ['8', label, '2001', '0', '0.000000', '0.000000'],
      ['8', label, '2002', '1', '0.500000', '0.500000'],
      ['8', label, '2003', '0', '0.000000', '0.000000'],
      // The outlier d7 counts among the documents of 2004.
      ['8', label, '2004', '1', '0.500000', '0.500000'],
    ]);
  });

  it('punchcard_entity_year.csv counts documents and mentions of each entity and type', () => {
    const rows = tableOf(files, 'punchcard_entity_year.csv').slice(1);
    expect(rows.filter(([entity]) => entity === 'parsing')).toEqual([
      ['parsing', 'Task', '2001', '2', '3', '0.500000', '1.000000'],
      ['parsing', 'Task', '2002', '1', '1', '0.250000', '0.500000'],
      ['parsing', 'Task', '2003', '0', '0', '0.000000', '0.000000'],
      ['parsing', 'Task', '2004', '1', '1', '0.250000', '0.500000'],
    ]);
    expect(rows.filter(([entity, , , documents]) => entity === 'attention' && documents !== '0')).toEqual([
      ['attention', 'Method', '2001', '1', '1', '0.333333', '0.500000'],
      ['attention', 'Method', '2002', '1', '1', '0.333333', '0.500000'],
      ['attention', 'Method', '2004', '1', '1', '0.333333', '0.500000'],
      ['attention', 'OtherScientificTerm', '2002', '1', '2', '1.000000', '0.500000'],
    ]);
    expect(rows.map(([entity]) => entity)).not.toContain('approach');
    expect(rows).toHaveLength(5 * 4);
  });

  it('punchcard_entity_year.csv leaves out entities with too few dated documents', async () => {
    const few = await exported(inputOf(documents), { min_entity_documents: 3 });
    const names = tableOf(few, 'punchcard_entity_year.csv')
      .slice(1)
      .map(([entity, type]) => `${entity} ${type}`);
    // "attention" as a method stands in four documents, of which one is undated.
    expect([...new Set(names)]).toEqual(['BLEU Metric', 'attention Method', 'parsing Task']);
    const fewer = await exported(inputOf(documents), { min_entity_documents: 4 });
    expect(
      new Set(
        tableOf(fewer, 'punchcard_entity_year.csv')
          .slice(1)
          .map(([entity]) => entity),
      ),
    ).toEqual(new Set(['parsing']));
  });

  it('punchcard_topic_entity.csv counts within topics and weighs by c-TF-IDF', () => {
    const rows = tableOf(files, 'punchcard_topic_entity.csv').slice(1);
    expect(
      rows.map(([topic, , entity, type, documents, mentions]) => [topic, entity, type, documents, mentions]),
    ).toEqual([
      ['3', 'parsing', 'Task', '3', '4'],
      ['3', 'attention', 'Method', '1', '1'],
      ['8', 'attention', 'Method', '3', '3'],
      ['8', 'BLEU', 'Metric', '2', '2'],
      ['8', "'=SUM(A1); total", 'Material', '1', '1'],
      ['8', 'attention', 'OtherScientificTerm', '1', '2'],
    ]);
    // 5 and 8 mentions in the topics: 6.5 on average, cut to 6; parsing has 4 of 5.
    expect(rows[0][6]).toBe((0.8 * Math.log(1 + 6 / 4)).toFixed(6));
    const weights = classTfIdf(
      { offsets: [0, 2, 6], terms: [5, 3, 3, 1, 0, 4], values: [4, 1, 3, 2, 1, 2] },
      { c: 2, v: entityList.canonical.length },
    );
    expect(rows.map((row) => row[6])).toEqual(Array.from(weights, (weight) => weight.toFixed(6)));
  });

  it('punchcard_topic_entity.csv leaves out pairs with too few documents', async () => {
    const few = await exported(inputOf(documents), { min_topic_entity_documents: 2 });
    expect(
      tableOf(few, 'punchcard_topic_entity.csv')
        .slice(1)
        .map(([topic, , entity]) => `${topic} ${entity}`),
    ).toEqual(['3 parsing', '8 attention', '8 BLEU']);
  });

  it('topic_events.csv keeps runs in order and sorts within each', () => {
    expect(tableOf(files, 'topic_events.csv').slice(1)).toEqual([
      ['run-0001', 'born', '3', '', ''],
      ['run-0002', 'continued', '3', '3', ''],
      ['run-0002', 'merged', '8', '5; 6', 'run.refresh is refit'],
    ]);
  });

  it('shares of a topic and of an entity sum to 1', () => {
    for (const [name, share] of [
      ['punchcard_topic_year.csv', 4],
      ['punchcard_entity_year.csv', 5],
    ] as const) {
      const sums = new Map<string, number>();
      for (const row of tableOf(files, name).slice(1)) {
        const key = `${row[0]} ${row[1]}`;
        sums.set(key, (sums.get(key) ?? 0) + Number(row[share]));
      }
      for (const sum of sums.values()) expect(sum).toBeCloseTo(1, 5);
    }
  });
});

describe('export stage', () => {
  it('gives the same bytes whatever the order of the rows', async () => {
    const turned = await exported(inputOf([...documents].reverse()), everything);
    const mixed = await exported(inputOf([3, 6, 0, 5, 1, 4, 2].map((row) => documents[row])), everything);
    expect(turned).toEqual(files);
    expect(mixed).toEqual(files);
  });

  it('exports a corpus without years with empty tables by year', async () => {
    const undated = await exported(
      inputOf(documents.map((document) => ({ ...document, year: null }))),
      everything,
    );
    expect(tableOf(undated, 'punchcard_topic_year.csv')).toHaveLength(1);
    expect(tableOf(undated, 'punchcard_entity_year.csv')).toHaveLength(1);
    expect(undated.get('punchcard_topic_entity.csv')).toBe(files.get('punchcard_topic_entity.csv'));
    expect(tableOf(undated, 'documents.csv').map((row) => row[2])).toEqual([
      'year',
      '',
      '',
      '',
      '',
      '',
      '',
      '',
    ]);
    expect(undated.get('report.html')).toContain('No document has a year');
  });

  it('exports a corpus of outliers', async () => {
    const noise = await exported(
      inputOf(documents.map((document) => ({ ...document, topic: -1 }))),
      everything,
    );
    expect(tableOf(noise, 'topics.csv')).toHaveLength(1);
    expect(tableOf(noise, 'punchcard_topic_year.csv')).toHaveLength(1);
    expect(tableOf(noise, 'punchcard_topic_entity.csv')).toHaveLength(1);
    expect(tableOf(noise, 'punchcard_entity_year.csv')).toHaveLength(1 + 5 * 4);
    expect(
      new Set(
        tableOf(noise, 'documents.csv')
          .slice(1)
          .map((row) => row[3]),
      ),
    ).toEqual(new Set(['-1']));
    expect(noise.get('report.html')).toContain('No topics were found');
  });

  it('exports no documents at all as headers', async () => {
    const none = await exported(inputOf([]), everything);
    for (const [name, text] of none) {
      if (name.endsWith('.csv') && name !== 'topic_events.csv') expect(text.split('\r\n')).toHaveLength(2);
    }
  });

  it('stops when asked to', async () => {
    await expect(stage.run(inputOf(documents), jobOf({}, AbortSignal.abort()))).rejects.toThrow(
      'asked to stop',
    );
  });

  it('an assignment to an unknown topic is an error', async () => {
    const input = inputOf(documents);
    input.assignments.topic[0] = 99;
    await expect(stage.run(input, jobOf())).rejects.toThrow('topic 99');
  });
});

describe('settings', () => {
  it('auto asks for one document in 2,000 and at least three', () => {
    const config = section.schema.parse({});
    expect(config).toEqual({
      directory: 'outputs',
      keep_runs: 30,
      keep_days: 'all',
      min_entity_documents: 'auto',
      min_topic_entity_documents: 2,
    });
    expect([0, 6000, 6001, 51396].map((n) => minEntityDocuments(config, n))).toEqual([3, 3, 4, 26]);
    expect(minEntityDocuments({ ...config, min_entity_documents: 1 }, 51396)).toBe(1);
  });

  it('refuses unknown keys and numbers out of range', () => {
    expect(() => section.schema.parse({ folder: 'x' })).toThrow();
    expect(() => section.schema.parse({ min_entity_documents: 0 })).toThrow();
    expect(() => section.schema.parse({ min_topic_entity_documents: 1.5 })).toThrow();
    expect(() => section.schema.parse({ directory: '' })).toThrow();
  });
});
