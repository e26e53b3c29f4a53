export function MissingPage() {
  return (
    <div class="page narrow">
      <h1>There is no such page</h1>
      <p class="lead">
        Nothing is at <code>{location.pathname}</code>. Perhaps the link is from a newer version.
      </p>
      <p>
        <a class="primary button" href="/">
          See all services
        </a>
      </p>
    </div>
  );
}
