-- What EMQX asks the ledger (PostgreSQL): who may sign in, and what each may do. Run once, as the ledger's
-- owner; issuing and revoking then take effect by themselves, at a client's next connecting.

CREATE OR REPLACE VIEW emqx_users AS
SELECT name AS username, password_hash, salt
FROM broker_accounts
WHERE revoked_at IS NULL AND password_hash <> '';

CREATE OR REPLACE VIEW emqx_rules AS
WITH facts (channel) AS (
    VALUES ('readings'), ('tests'), ('observations'), ('evidence'), ('samples'), ('status'), ('looks')
),
valid AS (
    SELECT name, region, site, agent FROM broker_accounts WHERE revoked_at IS NULL
),
sites AS (
    SELECT
        name,
        'fs/v1/' || region || '/' || site AS place,
        CASE WHEN agent = '' THEN '+' ELSE agent END AS self
    FROM valid
    WHERE region <> ''
)
-- "alerts" and "notices" stand where a device would; nobody at a site may write there. First match
-- decides.
SELECT 1 AS turn, sites.name AS username, 'deny' AS permission, 'publish' AS action,
    place || '/' || own.name || '/' || channel AS topic
FROM sites CROSS JOIN facts CROSS JOIN (VALUES ('alerts'), ('notices')) AS own (name)
UNION ALL
SELECT 2, name, 'allow', 'publish', place || '/+/' || channel
FROM sites CROSS JOIN facts
UNION ALL
SELECT 2, name, 'allow', 'subscribe', place || '/' || self || '/' || channel
FROM sites CROSS JOIN (VALUES ('receipts'), ('commands'), ('config'), ('room')) AS to_edge (channel)
UNION ALL
SELECT 2, name, 'allow', 'subscribe', place || '/alerts/+'
FROM sites
UNION ALL
SELECT 2, valid.name, 'allow', services.action, 'fs/v1/' || services.topic
FROM valid
JOIN (VALUES
    ('gateway', 'subscribe', '+/+/+/readings'),
    ('gateway', 'subscribe', '+/+/+/tests'),
    ('gateway', 'subscribe', '+/+/+/observations'),
    ('gateway', 'subscribe', '+/+/+/evidence'),
    ('gateway', 'subscribe', '+/+/+/samples'),
    ('gateway', 'subscribe', '+/+/+/status'),
    ('gateway', 'subscribe', '+/+/+/looks'),
    ('gateway', 'publish', '+/+/+/receipts'),
    ('gateway', 'publish', '+/+/+/commands'),
    ('gateway', 'publish', '+/+/+/room'),
    ('gateway', 'publish', '+/+/alerts/+'),
    ('gateway', 'publish', '+/+/notices/+'),
    ('server', 'publish', '+/+/+/config'),
    ('reader', 'subscribe', '+/+/alerts/+'),
    ('reader', 'subscribe', '+/+/notices/+'),
    ('reader', 'subscribe', '+/+/+/status')
) AS services (name, action, topic) ON services.name = valid.name
WHERE valid.region = '';
