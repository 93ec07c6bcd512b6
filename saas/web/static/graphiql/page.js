// Starts GraphiQL on /graphql. The session token goes into the headers tab: {"Authorization": "Bearer …"};
// it stays in this tab's memory, since GraphiQL is told not to keep headers.
"use strict";

const fetcher = async (parameters, options) => {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json",
      ...(options && options.headers),
    },
    body: JSON.stringify(parameters),
    credentials: "same-origin",
  });
  return response.json();
};

const firstQuery = `# Sign in first, then put the token into "Headers":
# {"Authorization": "Bearer …"}

{
  __typename
}
`;

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: firstQuery,
    defaultEditorToolsVisibility: "headers",
    shouldPersistHeaders: false,
    isHeadersEditorEnabled: true,
  }),
);
