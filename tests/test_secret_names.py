"""Secret names: which names of keys say that their value is secret, and which end in a secret as a whole."""

import pytest

from pipelex_cogt.config.secret_names import names_headers, names_sealed, names_secret

SECRET_NAMES = {
    "providers of models": """
        openai_api_key OPENAI_API_KEY openaiApiKey OpenAIKey anthropic_api_key azure_openai_api_key
        gemini_api_key google_api_key mistral_api_key cohere_api_key groq_api_key xai_api_key deepseek_api_key
        together_api_key fireworks_api_key replicate_api_token hf_token HUGGING_FACE_HUB_TOKEN huggingface_token
        perplexity_api_key openrouter_api_key nvidia_api_key cerebras_api_key voyage_api_key elevenlabs_api_key
        deepgram_api_key assemblyai_api_key stability_api_key litellm_master_key litellm_salt_key
        helicone_api_key langfuse_secret_key langsmith_api_key portkey_api_key wandb_api_key pinecone_api_key
        weaviate_api_key qdrant_api_key tavily_api_key serper_api_key bedrock_api_key AWS_BEARER_TOKEN_BEDROCK
        watsonx_apikey vertex_credentials
    """,
    "headers": """
        Authorization Proxy-Authorization Cookie Set-Cookie X-Auth X-Auth-Token X-Auth-Key X-Api-Key x-api-key
        X-API-Token X-Access-Token X-Access-Code X-CSRF-Token X-XSRF-TOKEN X-Session-Id X-Signature
        X-Hub-Signature-256 X-Amz-Signature X-Amz-Security-Token X-Amz-Credential X-Goog-Api-Key
        X-Goog-Signature x-functions-key Ocp-Apim-Subscription-Key Helicone-Auth cf-aig-authorization
        CF-Access-Client-Secret X-Vault-Token X-Gitlab-Token X-Consul-Token DPoP-Token api-key apikey apiKey
        ApiKey APIKey APIkey Api-Key auth bearer x-ms-client-secret X-Figma-Token PRIVATE-TOKEN
    """,
    "accounts": """
        password passwords passwd pwd pass passphrase passcode passkey userpass user_password userPassword
        db_password dbpass db-pass database_password admin_password root_password smtp_password smtp_pass
        ldap_password mail_pass MYSQL_PWD MYSQL_ROOT_PASSWORD PGPASSWORD pgpass POSTGRES_PASSWORD REDIS_PASSWORD
        rabbitmq_password sshpass ssh_passphrase proxy_password basic_auth http_basic_auth htpasswd netrc
        credential credentials creds login_creds otp otp_seed totp_secret hotp pin card_pin recovery_code
        recovery_codes backup_codes verification_code security_code seed_phrase recovery_phrase pass_phrase
        mnemonic secret secrets secretValue my_secret
    """,
    "tokens": """
        token tokenValue auth_token authToken auth-token authtoken access_token accessToken accesstoken
        refresh_token refreshToken id_token idToken session_token sessionToken bearer_token bearerToken
        api_token apitoken api_tokens access_tokens bot_token slack_bot_token telegram_bot_token discord_token
        github_token GITHUB_TOKEN GH_TOKEN gitlab_token bitbucket_token npm_token NPM_TOKEN pypi_token
        docker_token circle_token travis_token vault_token VAULT_TOKEN consul_http_token nomad_token
        digitalocean_token cloudflare_api_token fly_api_token vercel_token netlify_auth_token heroku_api_key
        sentry_auth_token datadog_api_key dd_app_key newrelic_license_key jwt jwt_secret jwtToken oauth_token
        oauth_client_secret sas sas_token sasUrl csrf csrf_token xsrf session session_id session_secret cookie
        cookies cookie_secret personal_access_token pat github_pat
    """,
    "clouds": """
        aws_access_key_id AWS_SECRET_ACCESS_KEY aws_secret_access_key aws_session_token accessKeyId
        secretAccessKey AccountKey account_key storage_account_key storage_key SharedAccessKey shared_access_key
        SharedAccessSignature connection_string connectionString ConnectionString connection_strings
        AZURE_STORAGE_CONNECTION_STRING conn_str conn_string connectionUri client_secret clientSecret
        azure_client_secret clientsecret subscription_key subscription-key primary_key secondary_key
        function_key host_key master_key service_account_key service_account_json service_account_info
        credentials_json credentials_base64 google_credentials gcp_credentials ibm_api_key oci_private_key
        alibaba_access_key_secret tencent_secret_key tencent_secret_id yandex_iam_token kubeconfig
        dockerconfigjson docker_auth_config registry_auth minio_secret_key s3_secret_key r2_secret_access_key
    """,
    "keys": """
        key keys private_key privateKey privatekey private_keys ssh_key ssh_private_key deploy_key id_rsa pem
        private_pem pfx tls_key ssl_key_password signing_key signingKey signing_secret signature signatures sig
        hmac hmac_key hmac_secret encryption_key encryptionKey decryption_key crypto_key kms kms_key aes_key
        salt password_salt secret_key_base django_secret_key flask_secret_key app_key app_secret app_secret_key
        consumer_key consumer_secret application_key license_key licenseKey activation_code keystore
        keystore_password keytab truststore_password gpg_passphrase age_key sops_age_key webhook_secret
        webhook_url webhookUrl slack_webhook slack_webhook_url discord_webhook webhook dsn sentry_dsn SENTRY_DSN
        database_dsn presigned_url signed_url stripe_secret_key stripe_api_key twilio_auth_token
        twilio_account_sid sendgrid_api_key mailgun_api_key algolia_admin_key mapbox_token api_key_1 api_key2
        API_KEY_OLD password_2 token1
    """,
    "what else people write": """
        oauth oauth_verifier code_verifier authz authentication cred my_cred pw db_pw ak sk pepper auth_code authcode
        mfa_code unlock_code pass_code wallet_seed master_seed kube_config sa_json ssh_private rsa_private key_data
        keyMaterial sessionid JSESSIONID PHPSESSID accesskeyid api_pass apipass openaikey userkey apikey_prod
        hook_url
    """,
}
PLAIN_NAMES = {
    "limits and prices": """
        max_tokens maxTokens max_output_tokens min_tokens tokens_per_minute token_limit tokens_limit
        claude_4_tokens_limit token_budget token_count cost_per_token price_per_token input_tokens output_tokens
        cached_tokens reasoning_tokens prompt_tokens completion_tokens total_tokens thinking_tokens num_tokens
        tokens password_length key_length key_size password_policy session_timeout token_ttl token_expiry
        token_expires_at secret_rotation key_count
    """,
    "words that look alike": """
        tokenizer tokenizer_path tokenize keyboard monkey turkey hockey donkey jockey author authority authors
        passage passenger passthrough bypass compass secretary secretariat pattern patch path spin spinner
        opinion pinned keynote hotkey keyword keywords sign design signal significant sassy passive cookiecutter
        hashing salty basalt session_affinity webhook_events secret_rotation_days credential_process skill pwned
    """,
    "where it lies, what it is called": """
        key_path private_key_path api_key_file key_file password_file passwordFile gcp_credentials_file_path
        credentials_path credentials_file google_application_credentials_path secret_name secret_path
        secrets_dir token_url token_uri tokenEndpoint token_endpoint auth_url auth_uri jwks_uri api_key_header
        auth_header api_key_env api_key_env_var password_env_var token_variable key_name keyName api_key_name
        signing_region auth_mode auth_type auth_method auth_provider auth_scheme token_type key_type
        credential_source secret_version api_key_prefix signature_version signature_algorithm jwt_algorithm
        jwt_issuer jwt_audience token_scope cookie_domain cookie_name session_name key_vault key_vault_name
        key_vault_url secret_manager
    """,
    "names of keys that are none": """
        public_key publicKey public_key_id partition_key sort_key cache_key foreign_key idempotency_key key_id
        kms_key_id row_key eos_token bos_token pad_token stop_token cls_token
        dictionary_key
    """,
    "nothing of the kind": "endpoint region api_version organization project display_name timeout max_retries name 0 é",
}


def listed(table: dict[str, str]) -> list[str]:
    return [name for names in table.values() for name in names.split()]


@pytest.mark.parametrize("name", listed(SECRET_NAMES))
def test_a_name_says_that_its_value_is_secret(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", [*listed(PLAIN_NAMES), ""])
def test_other_names_are_plain(name: str) -> None:
    assert not names_secret(name)
    assert not names_sealed(name)


def test_the_lists_are_long_and_name_nothing_twice() -> None:
    secret, plain = listed(SECRET_NAMES), listed(PLAIN_NAMES)
    assert (len(secret) >= 236, len(plain) >= 80) == (True, True)
    assert len({*secret, *plain}) == len(secret) + len(plain)


@pytest.mark.parametrize("name", listed(SECRET_NAMES))
def test_no_spelling_hides_a_secret_name(name: str) -> None:
    parts = name.replace("-", "_").split("_")
    spellings = ["_".join(parts), "-".join(parts), ".".join(parts), " ".join(parts), f"my_{name}", f"{name}_1"]
    # Capitals are all that parts the words of `accessKeyId`.
    spellings += [name.upper(), name.lower()] if name in (name.upper(), name.lower()) else []
    assert [spelling for spelling in spellings if not names_secret(spelling)] == []


ENDINGS = {
    "api_key session_token client_secret db_password x-api-key apikey AccountKey credentials access_keys": True,
    "api_tokens connection_string jwt Authorization SharedAccessSignature OPENAI_API_KEY": True,
    "token_url key_path token_limit max_tokens api_key_header public_key region headers": False,
    "Helicone-Auth cookie aws_access_key_id webhook x user key keys session_id kube_config code_verifier sk": None,
}


@pytest.mark.parametrize(("names", "is_sealed"), ENDINGS.items(), ids=map(str, ENDINGS.values()))
def test_a_name_ends_in_a_secret_in_something_else_or_says_nothing(names: str, is_sealed: object) -> None:
    assert [name for name in names.split() if names_sealed(name) is not is_sealed] == []


@pytest.mark.parametrize("name", listed(SECRET_NAMES))
def test_what_is_sealed_is_masked_too(name: str) -> None:
    assert names_secret(name) or not names_sealed(name)


def test_a_table_of_headers_is_known_by_its_name() -> None:
    tables = ["headers", "default_headers", "extraHeaders", "Extra-Headers", "HEADERS"]
    assert [name for name in tables if not names_headers(name)] == []
    assert not any(map(names_headers, ["header", "headers_path", "api_key_header", "headerset"]))
