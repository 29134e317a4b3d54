/** Articles as PubMed's XML has them; the papers are invented. */

export interface Article {
  pmid: number;
  title?: string;
  abstract?: string;
  kinds?: string[];
  notes?: string;
  version?: number;
}

export function articleText({
  pmid,
  title,
  abstract,
  kinds = ['Journal Article'],
  notes = '',
  version = 1,
}: Article): string {
  return `<PubmedArticle>
    <MedlineCitation Status="MEDLINE" Owner="NLM">
      <PMID Version="${version}">${pmid}</PMID>
      <DateRevised><Year>2024</Year><Month>01</Month><Day>02</Day></DateRevised>
      <Article PubModel="Print-Electronic">
        <Journal>
          <ISSN IssnType="Electronic">1234-5678</ISSN>
          <JournalIssue CitedMedium="Internet"><Volume>3</Volume><PubDate><Year>2021</Year><Month>Apr</Month></PubDate></JournalIssue>
          <Title>Journal of stones</Title>
          <ISOAbbreviation>J Stones</ISOAbbreviation>
        </Journal>
        <ArticleTitle>${title ?? `Article ${pmid} on lichens.`}</ArticleTitle>
        <ELocationID EIdType="doi" ValidYN="Y">10.9999/p.${pmid}</ELocationID>
        <Abstract>${abstract ?? '<AbstractText>We follow how lichens settle on basalt.</AbstractText>'}</Abstract>
        <AuthorList CompleteYN="Y">
          <Author ValidYN="Y"><LastName>Adder</LastName><ForeName>Bea</ForeName><Initials>B</Initials><AffiliationInfo><Affiliation>North University.</Affiliation></AffiliationInfo></Author>
          <Author ValidYN="Y"><CollectiveName>Lichen Group</CollectiveName></Author>
        </AuthorList>
        <Language>eng</Language>
        <PublicationTypeList>${kinds.map((kind) => `<PublicationType UI="D1">${kind}</PublicationType>`).join('')}</PublicationTypeList>
      </Article>
      ${notes}
      <MeshHeadingList><MeshHeading><DescriptorName UI="D008027" MajorTopicYN="Y">Lichens</DescriptorName><QualifierName UI="Q1">growth</QualifierName></MeshHeading></MeshHeadingList>
      <KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="N">basalt</Keyword></KeywordList>
    </MedlineCitation>
    <PubmedData>
      <ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.9999/of-a-reference</ArticleId></ArticleIdList></Reference></ReferenceList>
      <ArticleIdList><ArticleId IdType="pubmed">${pmid}</ArticleId><ArticleId IdType="doi">10.9999/p.${pmid}</ArticleId></ArticleIdList>
    </PubmedData>
  </PubmedArticle>`;
}

/** A whole document, as a file or an answer. */
export function articleSet(articles: readonly Article[], more = ''): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2024//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_240101.dtd">
<PubmedArticleSet>
${articles.map(articleText).join('\n')}
${more}
</PubmedArticleSet>
`;
}

export function deletions(...pmids: number[]): string {
  return `<DeleteCitation>${pmids.map((pmid) => `<PMID Version="1">${pmid}</PMID>`).join('\n')}</DeleteCitation>`;
}
